"""Prints when each phase of one request ended, as libcurl times it, as JSON.

Takes a URL and a file with the certificates to trust. Times are microseconds after the
beginning of the request.
"""

import json
import sys
from importlib import import_module

pycurl = import_module("pycurl")
TIMES = {
    "lookup": pycurl.NAMELOOKUP_TIME_T,
    "tcp": pycurl.CONNECT_TIME_T,
    "tls": pycurl.APPCONNECT_TIME_T,
    "first_byte": pycurl.STARTTRANSFER_TIME_T,
    "last_byte": pycurl.TOTAL_TIME_T,
}


def main(url: str, certificates: str) -> None:
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.CAINFO, certificates)
    curl.setopt(pycurl.IPRESOLVE, pycurl.IPRESOLVE_V4)
    curl.setopt(pycurl.WRITEFUNCTION, len)
    curl.perform()
    print(json.dumps({name: curl.getinfo(time) for name, time in TIMES.items()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
