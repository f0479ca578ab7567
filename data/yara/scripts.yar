/* Web shells in Perl and Python, and what intruders start beside them. */

private rule perl
{
    strings:
        $first = /^#![^\n]{0,60}perl/
        $use = /(^|\n)\s*use\s+(strict|warnings|CGI|Socket|IO::Socket|LWP)\b/
    condition:
        filesize < 1MB and ($first at 0 or $use)
}

private rule python
{
    strings:
        $first = /^#![^\n]{0,60}python/
        $import = /(^|\n)\s*(import|from)\s+[a-z_]{2,}/
    condition:
        filesize < 1MB and ($first at 0 or $import)
}

rule perl_runs_request
{
    meta:
        what = "a web shell in Perl: it runs what a visitor sends"
        class = "web-shell"
        confidence = "high"
    strings:
        $a = /\b(system|exec|eval|qx|open)\b[\s({\/"'|`]{1,6}(\$\w{1,12}\s*->\s*)?param\s*\(/
        $b = /(\b(system|exec|eval)\b[\s({"']{1,4}|`)\$(ENV\{\s*["']?QUERY_STRING|in\{|FORM\{|form\{|query\{|param\{|q->param)/
        $c = /\$(c|cmd|command|code)\s*=\s*(\$\w{1,12}\s*->\s*)?param\s*\([^;]{1,60};[^}]{0,400}(\b(system|exec|eval)\b[\s("]{0,4}|`|qx[{\/(]|open\s*\(?\s*\w+\s*,\s*["'])\$(c|cmd|command|code)\b/
        $d = /\bCGI-T[e]lnet\b/
    condition:
        perl and any of them
}

rule python_runs_request
{
    meta:
        what = "a web shell in Python: it runs what a visitor sends"
        class = "web-shell"
        confidence = "high"
    strings:
        $a = /\b(os\.(system|popen)|subprocess\.(Popen|call|check_output|check_call|run|getoutput|getstatusoutput)|commands\.getoutput|eval|exec)\s*\(\s*(base64\.b64decode\s*\(\s*)?(flask\.)?(request\.(args|form|values|GET|POST|params|query|headers|data|get_data|json)|form\.getvalue|form\.getfirst|form\[|cgi\.FieldStorage)/
        $b = /\b(c|cmd|command|code)\s*=\s*(flask\.)?(request\.(args|form|values|GET|POST|params|query)|form\.getvalue|form\.getfirst|form\[|cgi\.FieldStorage)[^\n]{0,80}\n[^#]{0,300}\b(os\.(system|popen)|subprocess\.\w{3,16}|eval|exec)\s*\(\s*(c|cmd|command|code)\b/
    condition:
        python and any of them
}

rule reverse_shell
{
    meta:
        what = "a program that gives a shell of this host to somebody outside"
        class = "attack-tool"
        confidence = "high"
    strings:
        $bash = /\b(ba|z|k)?sh\s+-i\s{0,3}[0-9]?(>|<|>&|&>)\s*\/dev\/(tcp|udp)\/[^\s\/]{1,64}\/[0-9$]/
        $exec = /exec\s+[0-9]{1,3}<>\s*\/dev\/(tcp|udp)\/[^\s\/]{1,64}\/[0-9$][^\n]{0,10}[;\n][^\n]{0,200}\b(ba)?sh\b[^\n]{0,20}<&/
        $nc = /\bmkfifo\s+(\/[^\s;]{1,60})\s*;[^\n]{0,80}\b(ba)?sh\s+-i[^\n]{0,30}\|\s*(nc|ncat|netcat|telnet|openssl)\b/
        $nc_e = /\b(nc|ncat|netcat)(\.traditional|\.openbsd)?\s+(-[a-z]{1,4}\s+)*[0-9a-z$][^\s;|]{2,60}\s+[0-9$]\w{0,5}\s+-(e|c)\s+["']?\/bin\/(ba|da|z)?sh\b/
        $python = /\.connect\s*\(\s*\([^\n]{1,80}\)[^#]{0,200}os\s*\.\s*dup2\s*\(\s*\w{1,12}\.fileno\s*\(\s*\)\s*,\s*0\s*\)[^#]{0,300}(\/bin\/(ba)?sh|pty\.spawn)/
        $perl = /\bconnect\s*\([^\n]{1,120}\)[^#]{0,200}open\s*\(\s*STDIN\s*,\s*["']\s*[<>]{1,2}&[^#]{0,300}exec[\s({]{0,3}["']\/bin\/(ba)?sh\b/
        $php = /fsockopen\s*\([^;\n]{1,80}\)\s*;[^#]{0,300}(proc_open|exec|shell_exec|system|passthru|popen)\s*\(\s*["'][^"'\n]{0,20}\/?(bin\/)?(ba)?sh\s+-i/
    condition:
        filesize < 1MB and any of them
}

rule irc_bot
{
    meta:
        what = "a robot that takes orders over IRC and attacks others"
        class = "attack-tool"
        confidence = "high"
    strings:
        $socket = /(IO::Socket::INET|fsockopen\s*\(|socket\.socket\s*\()/
        $say = /PRIVMSG\s/
        $join = /(JOIN|NICK)\s/
        $flood = /\b(udp|tcp|http|syn|slowloris)[_ ]?flood|\bportscan\b.{0,400}\bflood\b/ nocase
        $run = /(system\s*\(|shell_exec\s*\(|popen\s*\(|\bexec\s*\(|\bfork\s*(\(|;|\|\|))/
    condition:
        filesize < 1MB and all of them
}

rule coin_miner
{
    meta:
        what = "the configuration or the start of a program that earns coins for somebody else"
        class = "attack-tool"
        confidence = "medium"
    strings:
        $pool = /stra[t]um\+(tcp|ssl|tls):\/\/[\w.-]{4,80}:[0-9]{2,5}/
        $miner = /(--donate-level|"donate-level"|xmr[i]g|minerd|"algo"\s*:|--algo[= ])/
    condition:
        filesize < 1MB and $pool and $miner
}
