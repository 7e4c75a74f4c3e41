"""A browser as far as plain HTML forms need one: cookies, redirects, and the fields of a form."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from common import TIMEOUT, check, equal


class Form(HTMLParser):
    """The form of a page: where it goes, and its hidden fields."""

    def __init__(self, html):
        super().__init__()
        self.action = None
        self.method = None
        self.hidden = {}
        self.feed(html)
        check(self.action is not None, f"there is no form:\n{html}")

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.action, self.method = attributes["action"], attributes.get("method", "get")
        if tag == "input" and attributes.get("type") == "hidden":
            self.hidden[attributes["name"]] = attributes["value"]


class Browser:
    """One person's browser. It follows redirects as long as they stay at the server."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.session = requests.Session()

    def get(self, url):
        return self._follow(self._send("GET", url))

    def submit(self, page, **fields):
        """Fills in the form of a page and sends it."""
        form = Form(page.text)
        equal(form.method.lower(), "post", "method of the form")
        data = {**form.hidden, **fields}
        return self._follow(self._send("POST", urljoin(page.url, form.action), data=data))

    def authorize(self, url, user):
        """Signs in and consents where that is asked; gives the URL at the app that the browser is sent to."""
        page = self.get(url)
        if self.is_at(page, "/signin"):
            page = self.submit(page, email=user["email"], password=user["password"])
        # Where nothing is to be asked, that page is a redirect to the app.
        if self.is_at(page, "/consent") and "location" not in page.headers:
            page = self.submit(page, decision="allow")
        check("location" in page.headers, f"the browser is left at {page.url}: {page.text}")
        return page.headers["location"]

    def is_at(self, page, path):
        return urlsplit(page.url).path == urlsplit(self.issuer + path).path

    def _send(self, method, url, **options):
        return self.session.request(
            method, url, allow_redirects=False, timeout=TIMEOUT, headers={"origin": self.issuer}, **options
        )

    def _follow(self, page):
        for _ in range(10):
            location = urljoin(page.url, page.headers.get("location", ""))
            if "location" not in page.headers or not location.startswith(f"{self.issuer}/"):
                return page
            # RFC 9700 §4.12: what was posted must not be posted again to where the browser is sent.
            check(page.status_code in (302, 303), f"a redirect with status {page.status_code}")
            page = self._send("GET", location)
        raise AssertionError(f"redirected again and again: {location}")
