"""What the demo says: short plain lines, bold headings where a terminal wants them."""

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
INDENT = "     "
WIDTH = 22  # of a fact's name


class Screen:
    """One numbered scene after the other."""

    def __init__(self, *, bold: bool) -> None:
        self._scene = 0
        self._bold = bold

    def title(self, text: str) -> None:
        """The first line."""
        self._out(self._strong(text))

    def scene(self, text: str) -> None:
        """A heading with its number."""
        self._scene += 1
        self._out("")
        self._out(self._strong(f"{self._scene:>3}  {text}"))

    def say(self, text: str) -> None:
        """A sentence under the heading."""
        for line in text.splitlines():
            self._out(INDENT + line)

    def fact(self, name: str, value: object) -> None:
        """A name and a figure."""
        self._out(f"{INDENT}{name:<{WIDTH}} {value}")

    def _strong(self, text: str) -> str:
        return f"{BOLD}{text}{PLAIN}" if self._bold else text

    @staticmethod
    def _out(line: str) -> None:
        print(line, flush=True)
