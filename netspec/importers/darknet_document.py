"""DarknetDocument: the spec that a cfg stands for, and the order of the weights in its file."""

from __future__ import annotations

from ..document import Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..text import Source, Span
    from .darknet_cfg import Section


class Stored:
    """Weights of a layer that follow one another in a .weights file.

    Where gates that darknet keeps apart are rows of one weight, this is `part` of `parts`.
    """

    __slots__ = ("layer", "names", "part", "parts")

    def __init__(self, layer: str, names: tuple[str, ...], part: int = 0, parts: int = 1) -> None:
        self.layer = layer
        self.names = names
        self.part = part
        self.parts = parts


class DarknetDocument(Document):
    """The spec that a cfg stands for; places are those of its sections and options."""

    __slots__ = ("head", "order", "sections")

    def __init__(self, source: Source, head: Section) -> None:
        super().__init__(source, {})
        self.head = head
        self.sections: list[tuple[Section, dict[str, str]]] = []  # one for each entry
        self.order: list[Stored] = []  # of the weights in a .weights file

    @property
    def templated(self) -> bool:
        """Return False: a cfg has no variables."""
        return False

    def span(self, *path: str | int) -> Span:
        """Return the place of the option behind a value, or of its section."""
        section, options = self._section(path)
        if isinstance(path[-1] if path else None, str):
            name = options.get(str(path[-1]))
            if name is not None and name in section.options:
                return section.options[name].span
        return section.span

    def key_span(self, *path: str | int) -> Span:
        """Return the place of the section."""
        return self._section(path)[0].span

    def span_in(self, path: tuple[str | int, ...], start: int, end: int) -> Span:
        """Return the place of the option behind a value."""
        return self.span(*path)

    def _section(self, path: tuple[str | int, ...]) -> tuple[Section, dict[str, str]]:
        if len(path) > 1 and path[0] == "layers" and isinstance(path[1], int):
            return self.sections[min(path[1], len(self.sections) - 1)]
        return self.head, {}
