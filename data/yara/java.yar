/* Web shells in JSP. */

private rule jsp
{
    strings:
        $page = /<%[@!=\s]/
        $tag = "<jsp:scriptlet>" nocase
    condition:
        (filesize < 4MB or extension matches /^\.(jsp|jspx|jspf|jsw|jsv)$/i) and any of them
}

rule jsp_runs_request
{
    meta:
        what = "a web shell in JSP: it runs what a visitor sends"
        class = "web-shell"
        confidence = "high"
    strings:
        $run = /(getRuntime\s*\(\s*\)\s*\.\s*exec|new\s+ProcessBuilder|ScriptEngine\w*\s*\(\s*\)[^;]{0,80}\.eval)\s*\(/
        $direct = /(\.exec|ProcessBuilder|\.eval)\s*\([^;\n]{0,80}request\s*\.\s*get(Parameter|Header)\s*\(/
        $take = /request\s*\.\s*get(Parameter|Header)\s*\(\s*"(c|cmd|command|exec|i|pwd|pass|x|shell|code)"/ nocase
    condition:
        jsp and ($direct or ($run and $take))
}

rule jsp_loads_classes
{
    meta:
        what = "a web shell in JSP: it loads programs that a visitor sends"
        class = "web-shell"
        confidence = "high"
    strings:
        $loader = /extends\s+(java\.lang\.)?ClassLoader\b/
        $define = /\bdefineClass\s*\(/
        $unpack = /(Cipher\s*\.\s*getInstance|BASE64Decoder|Base64|decodeBuffer|SecretKeySpec)/
        $request = /request\s*\.\s*(getReader|getParameter|getInputStream)\s*\(/
    condition:
        jsp and all of them
}

rule jsp_writes_where_told
{
    meta:
        what = "JSP that writes a file of which a visitor gives name and content"
        class = "web-shell"
        confidence = "high"
    strings:
        $a = /new\s+(java\.io\.)?(FileOutputStream|FileWriter|RandomAccessFile)\s*\([^;\n]{0,80}request\s*\.\s*getParameter\s*\(/
        $b = /\.write\s*\(\s*request\s*\.\s*getParameter\s*\(/
    condition:
        jsp and $a and $b
}
