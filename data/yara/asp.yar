/* Web shells in ASP and ASP.NET. */

private rule asp
{
    strings:
        $tag = /<%[@=\s]?/
        $server = /<script[^>]{0,80}runat\s*=\s*["']?server/ nocase
    condition:
        (filesize < 4MB or extension matches /^\.(asp|aspx|ashx|asmx|ascx|asa|asax|cer|cdx)$/i) and any of them
}

rule asp_runs_request
{
    meta:
        what = "a web shell in ASP: it runs what a visitor sends"
        class = "web-shell"
        confidence = "high"
    strings:
        $a = /\b(eval|execute(global)?)[\s(]{1,8}request\s*(\.\s*(form|querystring|item|cookies|servervariables))?\s*[(\[]/ nocase
        $b = /\beval\s*\(\s*Request\s*(\.\s*Item)?\s*\[[^\]\n]{1,60}\]\s*,\s*["']unsafe["']/ nocase
    condition:
        asp and any of them
}

rule asp_shell_object
{
    meta:
        what = "a web shell in ASP: it gives what a visitor sends to the Windows shell"
        class = "web-shell"
        confidence = "high"
    strings:
        $object = /CreateObject\s*\(\s*["'](W[S]cript\.Shell(\.1)?|Shell\.Application)["']/ nocase
        $class_id = /(72C24DD5-D70A-438B-8A42-98424B88AFB8|13709620-C279-11CE-A49E-444553540000)/ nocase
        $run = /\.\s*(exec|run|ShellExecute)\s*[("']/ nocase
        $request = /request\s*(\.\s*(form|querystring|item))?\s*\(/ nocase
    condition:
        asp and ($object or $class_id) and $run and $request
}

rule aspx_starts_programs
{
    meta:
        what = "a web shell in ASP.NET: it starts programs for a visitor"
        class = "web-shell"
        confidence = "high"
    strings:
        $page = /<%@\s*(Page|WebHandler|WebService)\b/ nocase
        $process = /\b(ProcessStartInfo|Process\.Start|new\s+Process)\b/
        $shell = /(cmd\.exe|\/c\s|powershell|\.FileName\s*=|\.Arguments\s*=)/ nocase
        $input = /(Request\s*(\.\s*(Form|QueryString|Params|Item|Headers))?\s*[\[(]|\.Text\s*[;)+])/
    condition:
        filesize < 1MB and all of them
}

rule aspx_loads_programs
{
    meta:
        what = "a web shell in ASP.NET: it loads programs that a visitor sends"
        class = "web-shell"
        confidence = "high"
    strings:
        $page = /<%@\s*(Page|WebHandler|WebService)\b/ nocase
        $load = /\bAssembly(\.GetExecutingAssembly\(\))?\s*\.\s*Load\s*\(|GetMethod\("Load"/
        $unpack = /(FromBase64String|RijndaelManaged|AesManaged|TransformFinalBlock|CreateDecryptor)/
        $input = /Request\s*(\.\s*(Form|QueryString|Params|Item|BinaryRead|InputStream|Headers)|\[)/
    condition:
        filesize < 1MB and all of them
}

rule asp_writes_where_told
{
    meta:
        what = "ASP that writes a file of which a visitor gives name and content"
        class = "web-shell"
        confidence = "high"
    strings:
        $file = /\.\s*(CreateTextFile|OpenTextFile|SaveToFile)\s*\(?\s*(Server\.MapPath\s*\(\s*)?request\s*(\.\s*(form|querystring|item))?\s*\(/ nocase
        $net = /File\s*\.\s*Write(AllText|AllBytes)\s*\(\s*Request\s*(\.\s*(Form|QueryString|Params|Item))?\s*\[[^;\n]{1,120}Request\s*(\.|\[)/
        $write = /\.\s*write(line)?\s*\(?\s*request\s*(\.\s*(form|querystring|item))?\s*\(/ nocase
    condition:
        asp and ($net or ($file and $write))
}
