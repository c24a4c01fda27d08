"""Commands as people paste them from browsers and documents; PORT stands for a port.

FILES stands for a directory with the files of `write_files`.
"""

from pathlib import Path

CHROME_BASH = r"""curl 'http://127.0.0.1:PORT/api/items?x=1&y=%20' \
  -X 'PUT' \
  -H 'accept: application/json, text/plain, */*' \
  -H 'accept-language: en-US,en;q=0.9' \
  -b 'session=abc; theme=dark' \
  -H 'content-type: application/json' \
  -H 'sec-ch-ua: "Chromium";v="128", "Not;A=Brand";v="24"' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \
  --data-raw $'{"name":"O\'Neil\u0021","text":"a\\nb\n\u00e9 \xc3\xa4 \103"}' \
  --insecure"""
CHROME_BASH_MULTIPART = r"""curl 'http://127.0.0.1:PORT/upload' \
  -H 'Content-Type: multipart/form-data; boundary=----WebKitFormBoundaryAbC' \
  -H 'Origin: http://127.0.0.1' \
  --data-raw $'------WebKitFormBoundaryAbC\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n------WebKitFormBoundaryAbC--\r\n'"""
CHROME_CMD = r"""curl ^"http://127.0.0.1:PORT/api?x=1^&y=2^%^20z^" ^
  -H ^"accept: */*^" ^
  -H ^"sec-ch-ua: ^\^"Chromium^\^";v=^\^"128^\^"^" ^
  -b ^"a=b; c=d^" ^
  -H ^"content-type: text/plain^" ^
  --data-raw ^"^{^\^"a^\^":^\^"C:^\^\new 50^% ^^ ^& ^| ^<^>^

second^\^"^}^\^\^" ^
  --insecure"""
CHROME_CMD_OLD = (
    r"""curl "http://127.0.0.1:PORT/a?x=1&y=2" -H "accept: */*" """
    r"""-H "x: say ""hi"" to C:\\" --data-binary "{""a"":""b%20""}" -k"""
)
FIREFOX = """curl 'http://127.0.0.1:PORT/form' -X POST \
-H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101' \
-H 'Accept: text/html,application/xhtml+xml' -H 'Accept-Language: en-US,en;q=0.5' \
-H 'Accept-Encoding: gzip, deflate' -H 'Content-Type: application/x-www-form-urlencoded' \
-H 'Origin: http://127.0.0.1' -H 'Connection: keep-alive' -H 'Cookie: a=b; c=d' \
-H 'Upgrade-Insecure-Requests: 1' -H 'Priority: u=0, i' --data-raw 'a=1&b=%C3%BC'"""
SAFARI = r"""curl 'http://127.0.0.1:PORT/a' \
-X 'POST' \
-H 'Content-Type: application/json' \
-H 'Content-Length: 7' \
--data-binary '{"a":1}'"""

# Each with the command of bash that says the same.
CMD = {
    CHROME_CMD: r"""curl 'http://127.0.0.1:PORT/api?x=1&y=2%20z' -H 'accept: */*' \
        -H 'sec-ch-ua: "Chromium";v="128"' -b 'a=b; c=d' -H 'content-type: text/plain' \
        --data-raw $'{"a":"C:\\\\new 50% ^ & | <>\nsecond"}\\' --insecure""",
    CHROME_CMD_OLD: r"""curl 'http://127.0.0.1:PORT/a?x=1&y=2' -H 'accept: */*' \
        -H 'x: say "hi" to C:\' --data-binary '{"a":"b%20"}' -k""",
    'curl.exe http://127.0.0.1:PORT/a ^\r\n -d "a & b" ^\r\n -d c^&d': (
        "curl http://127.0.0.1:PORT/a -d 'a & b' -d 'c&d'"
    ),
}
BASH = [
    CHROME_BASH,
    CHROME_BASH_MULTIPART,
    FIREFOX,
    SAFARI,
    "curl http://127.0.0.1:PORT",
    "curl 127.0.0.1:PORT/a/../b/./c?x=1#part",
    "$ curl -sSL 127.0.0.1:PORT/x | jq .",
    "curl -XPOST 127.0.0.1:PORT/ -da=b -d c > /dev/null",
    "curl 127.0.0.1:PORT/a -d '' # nothing",
    "curl 127.0.0.1:PORT/a -X DELETE",
    "curl --request PATCH --url 127.0.0.1:PORT/a --data-raw '@a'",
    "curl 127.0.0.1:PORT/a -X GET -d x",
    "curl -G 127.0.0.1:PORT -d a=b -d 'c=d'",
    "curl -G '127.0.0.1:PORT/a?z=1#f' --data-urlencode 'q=a b&c' -d x=1",
    "curl -X PUT -G 127.0.0.1:PORT/a -d q",
    "curl -I 127.0.0.1:PORT/a",
    "curl -I -G -d a=b 127.0.0.1:PORT/a",
    "curl 127.0.0.1:PORT/a --data-urlencode 'a b=c d&é~*' --data-urlencode '=x y' "
    "--data-urlencode 'k=v w' --data-urlencode plain%",
    "curl 127.0.0.1:PORT/a --json '{\"a\":1}' --json 2 -d x",
    "curl 127.0.0.1:PORT/a --json 1 -H 'content-type: application/ld+json' -H 'accept:'",
    "curl 127.0.0.1:PORT/a -b a=b -b 'c=d; e=f' -u 'u:p:q' -e 'http://r/;auto' -A ua",
    "curl 127.0.0.1:PORT/a -u me:p -H 'Authorization: x' -H 'Cookie: a=b' -b c=d",
    "curl 'http://us%20er:p%40@127.0.0.1:PORT/a'",
    "curl 'http://a:b@127.0.0.1:PORT/a' -u c:d",
    "curl 127.0.0.1:PORT/a --oauth2-bearer tok",
    "curl 127.0.0.1:PORT/a -H 'X-A;' -H 'X-B: 1' -H X-B:2 -H 'User-Agent:' -H 'X-C:' "
    "-H nocolon",
    "curl 127.0.0.1:PORT/a -A '' -e '' -H 'User-Agent: mine'",
    "curl 127.0.0.1:PORT/a -H 'Host: other.example'",
    "curl 127.0.0.1:PORT/a -d a -H 'Content-Type:' -H 'Accept:'",
    "curl 127.0.0.1:PORT/a -d a -H 'Content-Type: t/x' -H 'Content-Type: t/y'",
    "curl -r 0-99 127.0.0.1:PORT/a",
    "curl --compressed 127.0.0.1:PORT/a",
    "curl --compressed 127.0.0.1:PORT/a -H 'Accept-Encoding: identity'",
    "curl -4 -k --http1.1 -m 5 --connect-timeout 2.5 127.0.0.1:PORT/a",
    "curl -g '127.0.0.1:PORT/a[1]'",
    r"curl '127.0.0.1:PORT/a\[1\]'",
    r"""curl "127.0.0.1:PORT/a" -H "X: \"q\" \\ \a $ 'x'" -d "two\
lines" """,
    "curl -d @FILES/lines.txt -d b 127.0.0.1:PORT/a",
    "curl --data-binary @FILES/bytes 127.0.0.1:PORT/a",
    "curl --data-binary @FILES/lines.txt -d x 127.0.0.1:PORT/a",
    "curl --data-urlencode n@FILES/lines.txt --data-urlencode @FILES/bytes "
    "127.0.0.1:PORT/a",
    "curl --json @FILES/lines.txt 127.0.0.1:PORT/a",
    "curl 127.0.0.1:PORT/a --data-binary $'\\x80\\377a'",
    "curl 127.0.0.1:PORT/a -F a=b -F 'c=d;type=text/x' -F 'e=\"f;g\"' --form-string 'h=@i'",
    "curl 127.0.0.1:PORT/a -F f=@FILES/bytes -F 'g=@FILES/lines.txt' "
    '-F \'n"m=@"FILES/bytes";filename="q\\"z.png"\' -F \'h=<FILES/lines.txt\'',
    "curl 127.0.0.1:PORT/a -H 'Content-Type: multipart/form-data' -F a=b -X PUT",
    "curl 127.0.0.1:PORT/a -F 'f=@FILES/bytes;type=image/png;filename=x.y'",
    r"""curl 127.0.0.1:PORT/a -F 'a="b' -F 'c="d\"e\\f" ; type=t/u' -F $'g=\t h\n ' -F 'i= " j " '""",
    "curl -s -- 127.0.0.1:PORT/a",
]


def write_files(directory: Path) -> None:
    (directory / "lines.txt").write_bytes(b"one\r\ntwo & \xc3\xa9\n")
    (directory / "bytes").write_bytes(b"\x80\xff\0=\r\n@")
