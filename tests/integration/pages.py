"""A page of Ambit's (src/paper), as a browser would read it: what is in it, and that nothing in it runs or is fetched."""

import base64
import hashlib
import html.parser

ELEMENTS = {"html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "div", "strong", "p", "nav", "ul", "li", "a", "main", "section",
            "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "pre", "b", "span", "br", "footer",
            "figure", "figcaption", "svg", "path", "rect", "text"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "id", "aria-label", "aria-labelledby", "href", "scope", "tabindex",
              "viewbox", "role", "d", "x", "y", "width", "height", "text-anchor"}
EMPTY = {"meta", "br"}


class Page(html.parser.HTMLParser):
    """What a browser would make of it: elements, attributes, and the text by chapter and table."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.problems, self.text, self.tables, self.links, self.ids, self.style = [], [], "", {}, [], [], ""
        self.policy, self.cell, self.rows, self.caption = None, None, None, ""
        self.feed(text)
        self.close()
        if self.open:
            self.problems.append(f"not closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.problems += [f"<{tag}>"] * (tag not in ELEMENTS) + [f"{tag} {name}" for name in attrs if name not in ATTRIBUTES]
        if tag == "meta" and attrs.get("http-equiv"):
            self.policy = attrs["content"]
        self.links += [attrs["href"]] if "href" in attrs else []
        self.ids += [attrs["id"]] if "id" in attrs else []
        if tag == "table":
            self.rows, self.caption = [], ""
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.cell = ""
        elif tag == "br" and self.cell is not None:
            self.cell += "\n"
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes another")
        if tag in ("td", "th"):
            self.rows[-1].append(self.cell)
            self.cell = None
        elif tag == "table":
            self.tables[self.caption] = self.rows[1:]

    def handle_data(self, data):
        if self.open[-1:] == ["style"]:
            self.style += data
            return
        self.text += data
        if self.cell is not None:
            self.cell += data
        elif self.open[-1:] == ["caption"]:
            self.caption += data

    def handle_comment(self, data):
        self.problems.append(f"a comment: {data}")

    def handle_decl(self, decl):
        self.problems += [decl] if decl != "DOCTYPE html" else []

    def table(self, beginning):
        return next((rows for caption, rows in self.tables.items() if caption.startswith(beginning)), [])


def whole_page(text):
    """Well-formed, of elements that do nothing, with a policy that allows its own style alone, and links into itself."""
    found = Page(text)
    assert found.problems == [], found.problems
    digest = base64.b64encode(hashlib.sha256(found.style.encode()).digest()).decode()
    assert found.policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'", found.policy
    assert all(link[1:] in found.ids and link[0] == "#" for link in found.links) and len(set(found.ids)) == len(found.ids), found.links
    assert "url(" not in found.style and "@import" not in found.style
    return found
