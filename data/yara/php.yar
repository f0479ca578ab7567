/* Web shells in PHP.
 *
 * What makes a shell is a short way from what a visitor sends to what PHP runs. The rules look for
 * that way, not for the names of known shells, but for php_shell_by_name.
 *
 * What is large is mostly a database, an archive or a log that quotes such lines; but PHP runs a
 * program of any size, and padding costs its writer nothing: by its name it is looked into. */

private rule php
{
    strings:
        $tag = /<\?(php|=)/ nocase
        $old = /<script[^>]{0,40}language\s*=\s*["']?php/ nocase
        $short = /<\?\s*[@$]?[a-z_]{2,}\s*\(/ nocase
    condition:
        (filesize < 8MB or extension matches /^\.(php[0-9]?|phps|pht|phtml|phar|inc)$/i) and any of them
}

rule php_runs_request
{
    meta:
        what = "a web shell in PHP: it runs what a visitor sends"
        class = "web-shell"
        confidence = "high"
    strings:
        $a = /(^|[^\w>:$'"-])(eval|assert|system|passthru|shell_exec|exec|popen|proc_open|pcntl_exec)\s*\(\s*(@?(base64_decode|gzinflate|gzuncompress|str_rot13|stripslashes|urldecode|rawurldecode|trim|hex2bin|strrev|implode|join)\s*\(\s*){0,4}@?(\$\{?["']?_(GET|POST|REQUEST|COOKIE)|\$_SERVER\s*[\[{]\s*["']HTTP_|\$HTTP_(GET|POST|COOKIE)_VARS|file_get_contents\s*\(\s*["']php:\/\/input)/ nocase
    condition:
        php and $a
}

rule php_request_names_function
{
    meta:
        what = "a web shell in PHP: a visitor names the function that is called"
        class = "web-shell"
        confidence = "high"
    strings:
        $a = /\$\{?["']?_(GET|POST|REQUEST|COOKIE)["']?\}?\s*(\[[^\]\n]{1,40}\]|\{[^}\n]{1,40}\})\s*\(\s*@?(\$|[a-z_0-9]{0,24}\(\s*\$)_?(GET|POST|REQUEST|COOKIE|SERVER|FILES|\w{1,8}\[)/ nocase
        $b = /call_user_func(_array)?\s*\(\s*@?\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
        $c = /(array_map|array_filter|array_walk|usort|uasort|uksort|array_reduce|register_shutdown_function|ob_start)\s*\([^;\n]{0,80}["'](assert|eval|system|passthru|shell_exec|exec)["']/ nocase
        $d = /array_map\s*\(\s*@?\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
    condition:
        php and any of them
}

rule php_request_in_variables
{
    meta:
        what = "a web shell in PHP: what a visitor sends goes through a variable into a call"
        class = "web-shell"
        confidence = "high"
    strings:
        $take = /\$(c|cmd|command|code|exec|shell|x|pass|payload)\s*=\s*(\(?\s*isset[^;]{1,60}\?\s*)?@?(base64_decode\s*\(\s*)?\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
        $run = /(^|[^\w>:$'"-])(eval|assert|system|passthru|shell_exec|popen|proc_open)\s*\(\s*@?(base64_decode\s*\(\s*)?["']?\$(c|cmd|command|code|exec|shell|x|pass|payload)\b/ nocase
    condition:
        php and filesize < 64KB and $take and $run
}

rule php_replaces_and_runs
{
    meta:
        what = "a web shell in PHP: preg_replace with the switch e runs what it is given"
        class = "web-shell"
        confidence = "high"
    strings:
        $a = /preg_replace\s*\(\s*["']([^"'\\\n]|\\.){0,80}[\/#~!@|%][imsxADSUXu]{0,6}e[imsxADSUXu]{0,6}["']\s*,\s*(@?\$_(GET|POST|REQUEST|COOKIE)|["'][^"'\n]{0,20}(eval|assert|system|base64_decode|\\x65))/ nocase
    condition:
        php and $a
}

rule php_backticks_of_request
{
    meta:
        what = "a web shell in PHP: what a visitor sends stands between backticks"
        class = "web-shell"
        confidence = "high"
    strings:
        $a = /(=|echo|print|\(|return)\s*@?`[^`\n]{0,60}\$\{?_(GET|POST|REQUEST|COOKIE)\b[^`\n]{0,60}`/ nocase
    condition:
        php and $a
}

rule php_writes_where_told
{
    meta:
        what = "PHP that writes a file of which a visitor gives name and content"
        class = "web-shell"
        confidence = "high"
    strings:
        $a = /(file_put_contents|fopen)\s*\(\s*@?\$_(GET|POST|REQUEST|COOKIE)\s*\[[^\]\n]{1,40}\]\s*,\s*(@?(base64_decode|stripslashes|hex2bin)\s*\(\s*)*(@?\$_(GET|POST|REQUEST|COOKIE)|["'][wa])/ nocase
    condition:
        php and filesize < 256KB and $a
}

rule php_hidden_program
{
    meta:
        what = "PHP that unpacks itself from a hidden text and runs it"
        class = "web-shell-likely"
        confidence = "medium"
    strings:
        $a = /(^|[^\w>:$'"-])(eval|assert)\s*\(\s*(["']\?>["']\s*\.\s*)?(@?(gzinflate|gzuncompress|gzdecode|str_rot13|strrev|base64_decode|convert_uudecode|rawurldecode|urldecode|hex2bin|pack)\s*\(\s*){1,6}["'$]/ nocase
        $b = /create_function\s*\(\s*["'][^"'\n]{0,20}["']\s*,\s*@?(gzinflate|gzuncompress|base64_decode|str_rot13|strrev)\s*\(/ nocase
    condition:
        php and any of them
}

rule php_hidden_names
{
    meta:
        what = "PHP that hides the names of the functions it calls"
        class = "web-shell-likely"
        confidence = "medium"
    strings:
        $hex_eval = "\\x65\\x76\\x61\\x6c" nocase
        $hex_assert = "\\x61\\x73\\x73\\x65\\x72\\x74" nocase
        $hex_base64 = "\\x62\\x61\\x73\\x65\\x36\\x34" nocase
        $hex_globals = "\\x47\\x4c\\x4f\\x42\\x41\\x4c\\x53" nocase
        $octal = "\\145\\166\\141\\154"
        $chr = /chr\(101\)\s*\.\s*chr\(118\)\s*\.\s*chr\(97\)\s*\.\s*chr\(108\)/ nocase
        $assert_1 = /["']a["']\s*\.\s*["']s["'.\s]{0,5}sert["']/
        $assert_2 = /["']as["']\s*\.\s*["']s["'.\s]{0,5}e["'.\s]{0,5}rt["']/
        $assert_3 = /["']ass["']\s*\.\s*["']e["'.\s]{0,5}rt["']/
        $base_1 = /["']b["'.\s]{0,5}as?["'.\s]{1,5}s?e64_["'.\s]{0,5}dec/
        $base_2 = /["']base["']\s*\.\s*["']64_["'.\s]{0,5}dec/
        $base_3 = /["']base64["']\s*\.\s*["']_["'.\s]{0,5}dec/
        $junk = /=\s*str_replace\(\s*["'][^"'\n]{1,4}["']\s*,\s*["']{2}\s*,\s*["'][^"'\n]{8,}["']\s*\)\s*;\s*\$\w{1,12}\s*=\s*\$\w{1,12}\(\s*["']{2}\s*,/
    condition:
        php and filesize < 1MB and any of them
}

rule php_shell_by_name
{
    meta:
        what = "a web shell in PHP that calls itself by its name"
        class = "web-shell"
        confidence = "high"
    strings:
        $a = /\bc99\s?sh(ell)?[_ .\w]{0,12}(v\.|updateurl|surl|mdl)/ nocase
        $b = /\br57\s?shell\b/ nocase
        $c = /["']Files[M]an["']/
        $d = /\bb37[4]k\b/ nocase
        $e = /\bIndoX[p]loit\b/ nocase
        $f = /\b(Mini|Marijuana|Gel4y|Alfa|ALFA TEaM|p0wny|WSO)[ @:-]{0,3}sh[e]ll\b/ nocase
        $g = /\bAnonymous[F]ox\b/
        $call = /(eval|assert|system|passthru|shell_exec|exec|popen|proc_open|move_uploaded_file)\s*\(/
    condition:
        php and filesize < 2MB and $call and any of ($a, $b, $c, $d, $e, $f, $g)
}

rule php_upload_and_no_more
{
    meta:
        what = "a page in PHP that takes any file under any name, and does nothing else"
        class = "web-shell-likely"
        confidence = "medium"
    strings:
        $a = /(move_uploaded_file|copy)\s*\(\s*\$_FILES\s*\[[^\]\n]{1,40}\]\s*\[\s*["']?tmp_name["']?\s*\]\s*,[^;\n]{0,60}\$_FILES\s*\[[^\]\n]{1,40}\]\s*\[\s*["']?name["']?\s*\]/ nocase
        $check = /(pathinfo|getimagesize|in_array|preg_match|wp_check_filetype|finfo_file|mime_content_type|is_admin|session_start)\s*\(/ nocase
    condition:
        php and filesize < 4KB and $a and not $check
}

rule php_includes_request
{
    meta:
        what = "PHP that includes a file whose name a visitor sends"
        class = "web-shell-likely"
        confidence = "medium"
    strings:
        $a = /(^|[;{}\s@])(include|require)(_once)?\s*\(?\s*@?\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
    condition:
        php and filesize < 64KB and $a
}

rule php_in_a_picture
{
    meta:
        what = "a picture with a program in PHP in it"
        class = "web-shell"
        confidence = "high"
    strings:
        $tag = /<\?(php\s|=)/ nocase
        $call = /(eval|assert|system|passthru|shell_exec|exec|popen|base64_decode|include|file_put_contents)\s*\(?\s*[@$"'(]/ nocase
    condition:
        (uint32be(0) == 0x89504e47 or uint16be(0) == 0xffd8 or uint32be(0) == 0x47494638) and
        $tag and for any i in (1..#tag): ($call in (@tag[i]..@tag[i] + 4096))
}

rule htaccess_runs_pictures
{
    meta:
        what = "a .htaccess that has pictures or texts run as PHP"
        class = "web-shell-likely"
        confidence = "high"
    strings:
        $a = /Add(Type|Handler)\s+(application\/x-httpd-|php\d?-|x-httpd-)?php[^\s#]{0,20}\s+[^\n#]{0,80}\.(jpe?g|gif|png|ico|svg|webp|txt|css|pdf)\b/ nocase
        $b = /<FilesMatch[^>\n]{0,80}\b(jpe?g|gif|png|ico|webp|txt)\b[^>\n]{0,80}>\s{1,40}SetHandler\s+["']?(application\/x-httpd-php|proxy:unix:[^\n]{0,60}php)/ nocase
    condition:
        filesize < 64KB and any of them
}
