<html>
<body bgcolor="black">
<br><br>
<p align="center"><font color="red" size="7">PoizonBOx</font></p>
<p align="center"><font color="red">contact:sysadmcn@yahoo.com.cn</font></p>
</body>
</html>
