/* What the worms and the defacers of 2001 wrote into pages.
 * Names and texts: CERT CA-2001-11, JPCERT-AT-2001-0009. The words are written as expressions, so
 * that this file does not contain what it looks for. */

rule page_of_sadmind_iis
{
    meta:
        what = "the page that the sadmind/IIS worm writes over others"
        class = "defacement"
        confidence = "high"
    strings:
        $html = /<(html|body|font)[ >]/ nocase
        $name = /P[o]izonBOx/ nocase
        $mail = /sysad[m]cn@yahoo\.com\.cn/ nocase
        $curse = /f[u]ck (USA )?(Government|P[o]izonBOx)/ nocase
    condition:
        filesize < 64KB and $html and 2 of ($name, $mail, $curse)
}

rule page_of_code_red
{
    meta:
        what = "the page that Code Red shows"
        class = "defacement"
        confidence = "high"
    strings:
        $words = /H[a]cked By Chin[e]se/ nocase
        $host = /Welcome to (<[^>]{0,60}>)?https?:\/\/www\.w[o]rm\.com/ nocase
    condition:
        filesize < 64KB and all of them
}

rule page_of_nimda
{
    meta:
        what = "a page to which Nimda has added a line that opens its mail"
        class = "worm"
        confidence = "high"
    strings:
        $line = /window\.open\s*\(\s*["']readm[e]\.(eml|nws)["']\s*,[^)]{0,80}top\s*=\s*6000/ nocase
    condition:
        $line
}

rule script_of_sadmind_iis
{
    meta:
        what = "a script of the sadmind/IIS worm"
        class = "worm"
        confidence = "high"
    strings:
        $tools = /\/dev\/cu[c]\/(start|sadmin|time|uniattack|grabbb|brute|ranip|cmd[12])\b/
        $lists = /\/dev\/cu[b]\/[a-z0-9]/
    condition:
        filesize < 64KB and uint16be(0) == 0x2321 and any of them
}

rule page_of_defacers
{
    meta:
        what = "a page whose heading boasts of an intrusion"
        class = "defacement-likely"
        confidence = "medium"
    strings:
        $a = /<(title|h[1-3]|center|marquee)[^>]{0,80}>\s*(<[^>]{1,80}>\s*){0,4}[^<]{0,60}\b(h[a4][c]k[e3]d|d[e3]f[a4]c[e3]d|[0o]wn[e3]d|pwn[e3]d|r[o0][o0]t[e3]d)\s+by\b/ nocase
        $html = /<(html|body)[ >]/ nocase
    condition:
        filesize < 256KB and all of them
}
