"""The options of curl: which take a value, and what becomes of each here.

The options of curl 7.88 to 8.17 (https://curl.se/docs/manpage.html).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from async_api.load.plan.errors import PlanError, unknown

# The request or the conditions have what it asks for.
HONOURED = "honoured"
# It changes what curl prints or keeps, and not what it sends.
OUTPUT = "output"
# It cannot be honoured, and the request is the same without it.
UNKEPT = "unkept"
# It cannot be honoured, and the request would be a different one without it.
REFUSED = "refused"
Treatment = Literal["honoured", "output", "unkept", "refused"]

# Long names; with = where a value follows, and the short name after a slash.
NAMES: dict[Treatment, str] = {
    "honoured": """
        basic cacert= compressed connect-timeout= cookie=/b data=/d data-ascii=
        data-binary= data-raw= data-urlencode= form=/F form-string= get/G globoff/g head/I
        header=/H http1.1 insecure/k ipv4/4 ipv6/6 json= max-time=/m oauth2-bearer=
        path-as-is range=/r referer=/e request=/X url= user=/u user-agent=/A
    """,
    "output": """
        buffer clobber cookie-jar=/c create-dirs create-file-mode= disable/q
        dump-header=/D etag-save= fail/f fail-early fail-with-body include/i
        junk-session-cookies/j libcurl= no-buffer/N out-null output=/o output-dir=
        parallel/Z parallel-immediate parallel-max= progress-bar/# progress-meter raw
        remote-header-name/J remote-name/O remote-name-all remote-time/R
        remove-on-error show-error/S show-headers silent/s skip-existing stderr=
        styled-output suppress-connect-headers trace= trace-ascii= trace-config=
        trace-ids trace-time verbose/v write-out=/w xattr
    """,
    "unkept": """
        alpn alt-svc= ca-native cert-status ciphers= curves= expect100-timeout=
        false-start happy-eyeballs-timeout-ms= hsts= http2 http3 ignore-content-length
        ip-tos= keepalive keepalive-cnt= keepalive-time= limit-rate= location/L
        location-trusted max-filesize= max-redirs= noproxy= npn post301 post302 post303
        proto= proto-redir= rate= retry= retry-all-errors retry-connrefused retry-delay=
        retry-max-time= sessionid sigalgs= speed-limit=/Y speed-time=/y
        ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-revoke-best-effort
        tcp-fastopen tcp-nodelay tls-earlydata tls-max= tls13-ciphers= tlsv1/1 tlsv1.0
        tlsv1.1 tlsv1.2 tlsv1.3 vlan-priority=
    """,
    "refused": """
        abstract-unix-socket= anyauth append/a aws-sigv4= capath= cert=/E cert-type=
        compressed-ssh config=/K connect-to= continue-at=/C crlf crlfile= delegation= digest
        disable-eprt disable-epsv disallow-username-in-url dns-interface=
        dns-ipv4-addr= dns-ipv6-addr= dns-servers= doh-cert-status doh-insecure
        doh-url= ech= egd-file= engine= etag-compare= form-escape ftp-account=
        ftp-alternative-to-user= ftp-create-dirs ftp-method= ftp-pasv ftp-port=/P
        ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-ccc-mode= ftp-ssl-control
        haproxy-clientip= haproxy-protocol help/h hostpubmd5= hostpubsha256= http0.9
        http1.0/0 http2-prior-knowledge http3-only interface= ipfs-gateway= key=
        key-type= krb= list-only/l local-port= login-options= mail-auth= mail-from=
        mail-rcpt= mail-rcpt-allowfails manual/M metalink mptcp negotiate netrc/n
        netrc-file= netrc-optional next/: ntlm ntlm-wb pass= pinnedpubkey= preproxy=
        proto-default= proxy=/x proxy-anyauth proxy-basic proxy-ca-native proxy-cacert=
        proxy-capath= proxy-cert= proxy-cert-type= proxy-ciphers= proxy-crlfile=
        proxy-digest proxy-header= proxy-http2 proxy-insecure proxy-key=
        proxy-key-type= proxy-negotiate proxy-ntlm proxy-pass= proxy-pinnedpubkey=
        proxy-service-name= proxy-ssl-allow-beast proxy-ssl-auto-client-cert
        proxy-tls13-ciphers= proxy-tlsauthtype= proxy-tlspassword= proxy-tlsuser=
        proxy-tlsv1 proxy-user=/U proxy1.0= proxytunnel/p pubkey= quote=/Q
        random-file= request-target= resolve= sasl-authzid= sasl-ir service-name=
        socks4= socks4a= socks5= socks5-basic socks5-gssapi socks5-gssapi-nec
        socks5-gssapi-service= socks5-hostname= ssl ssl-reqd ssl-sessions= sslv2/2
        sslv3/3 telnet-option=/t tftp-blksize= tftp-no-options time-cond=/z
        tlsauthtype= tlspassword= tlsuser= tr-encoding unix-socket= upload-file=/T
        upload-flags= url-query= use-ascii/B variable= version/V
    """,
}
REASONS = {
    "location": "redirects are not followed; the result counts them",
    "http2": "requests are sent as HTTP/1.1",
    "http3": "requests are sent as HTTP/1.1",
    "retry": "nothing is sent twice",
    "config": "options in a file are not read; put them into the command",
    "digest": "only basic and bearer authentication can be sent",
    "negotiate": "only basic and bearer authentication can be sent",
    "next": "a command is one request; give each a command of its own",
    "ntlm": "only basic and bearer authentication can be sent",
    "proxy": "requests go straight to the target",
    "upload-file": "use -X PUT with --data-binary @FILE",
}
NOT_HONOURED = "cannot be honoured; the request is the same without it"
DIFFERENT = "cannot be honoured, and the request would be a different one; remove it"


@dataclass(frozen=True, slots=True)
class Option:
    name: str  # the long name
    takes_value: bool
    treatment: Treatment


@dataclass(frozen=True, slots=True)
class Argument:
    """An option as given, or a URL, which has the name `url`.

    `given` is False for ``--no-`` with the name of an option.
    """

    name: str
    written: str
    value: str = ""
    given: bool = True


def _options() -> Iterator[tuple[str, Option]]:
    for treatment, names in NAMES.items():
        for text in names.split():
            long, _, short = text.partition("/")
            option = Option(long.removesuffix("="), long.endswith("="), treatment)
            yield f"--{option.name}", option
            if short:
                yield f"-{short}", option


OPTIONS = dict(_options())


@dataclass(frozen=True, slots=True)
class Arguments:
    """What is honoured, in order, with warnings and errors about the rest."""

    honoured: tuple[Argument, ...]
    warnings: tuple[str, ...]
    errors: tuple[PlanError, ...]


def sorted_arguments(words: Sequence[str]) -> Arguments:
    """The words after ``curl``, as curl reads them."""
    honoured: list[Argument] = []
    output: list[str] = []
    warnings: list[str] = []
    errors: list[PlanError] = []
    for argument, option in _arguments(words, errors):
        reason = REASONS.get(argument.name)
        match option.treatment if argument.given else _negated(option):
            case "honoured":
                honoured.append(argument)
            case "output":
                output.append(argument.written)
            case "unkept":
                warnings.append(f"{argument.written}: {reason or NOT_HONOURED}.")
            case "refused":
                errors.append(PlanError("", argument.written, reason or DIFFERENT))
    if output:
        listed = ", ".join(dict.fromkeys(output))
        warnings.append(
            f"{listed}: {'concern' if len(output) > 1 else 'concerns'} the output of curl, "
            "and not the request."
        )
    return Arguments(tuple(honoured), tuple(dict.fromkeys(warnings)), tuple(errors))


def _negated(option: Option) -> Treatment:
    """What becomes of ``--no-`` with an option, which is what would be without it."""
    return "output" if option.treatment == "refused" else option.treatment


def _arguments(
    words: Sequence[str], errors: list[PlanError]
) -> Iterator[tuple[Argument, Option]]:
    url = OPTIONS["--url"]
    remaining = iter(words)
    for word in remaining:
        if word == "--":
            for rest in remaining:
                yield Argument("url", rest, rest), url
        elif word.startswith("--"):
            yield from _long(word, remaining, errors)
        elif word.startswith("-") and word != "-":
            yield from _cluster(word, remaining, errors)
        else:
            yield Argument("url", word, word), url


def _long(
    word: str, remaining: Iterator[str], errors: list[PlanError]
) -> Iterator[tuple[Argument, Option]]:
    # curl itself knows no --name=value; people write it all the same.
    name, equals, value = word.partition("=")
    option = OPTIONS.get(name)
    if option is None and (negated := OPTIONS.get(name.replace("--no-", "--", 1))):
        if not negated.takes_value and not equals:
            yield Argument(negated.name, word, given=False), negated
            return
    if option is None:
        known = [each for each in OPTIONS if each.startswith("--")]
        message = unknown(name, known)
        if "did you mean" not in message:
            message = "is not an option of curl that is known here; remove it"
        errors.append(PlanError("", name, message))
    elif equals and not option.takes_value:
        errors.append(PlanError("", word, f"takes no value; write {name}"))
    elif equals or not option.takes_value:
        yield Argument(option.name, name, value), option
    else:
        yield from _with_next(option, name, remaining, errors)


def _cluster(
    word: str, remaining: Iterator[str], errors: list[PlanError]
) -> Iterator[tuple[Argument, Option]]:
    for place, letter in enumerate(word[1:], start=1):
        written = f"-{letter}"
        option = OPTIONS.get(written)
        if option is None:
            errors.append(
                PlanError(
                    "",
                    written,
                    "is not an option of curl that is known here; remove it",
                )
            )
        elif not option.takes_value:
            yield Argument(option.name, written), option
        elif rest := word[place + 1 :]:
            yield Argument(option.name, written, rest), option
            return
        else:
            yield from _with_next(option, written, remaining, errors)
            return


def _with_next(
    option: Option, written: str, remaining: Iterator[str], errors: list[PlanError]
) -> Iterator[tuple[Argument, Option]]:
    value = next(remaining, None)
    if value is None:
        errors.append(PlanError("", written, "needs a value after it"))
    else:
        yield Argument(option.name, written, value), option
