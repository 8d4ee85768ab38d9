"""Sphinx extension: reference pages generated from the program itself.

```{experiment-fields}     the keys of an experiment file, from the Experiment dataclass
```{experiment-default}    an experiment file with every key at its default
```{database-tables}       tables and views of a new database, described by tables.toml
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from docutils import nodes
from reference_data import (
    column_table,
    default_text,
    key_texts,
    read_descriptions,
    read_schema,
    sentence,
    tables_of,
    type_name,
)
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class GeneratedMarkdown(SphinxDirective):
    """A directive that is replaced by Markdown which the program's own code yields."""

    def markdown(self) -> Iterator[str]:
        """Yield the lines."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Return the parsed Markdown."""
        text = "\n".join(self.markdown())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class ExperimentFields(GeneratedMarkdown):
    """Every key of an experiment file."""

    def markdown(self) -> Iterator[str]:
        """Yield a definition list: key, then type, default and meaning."""
        from steertui.cli.root import Experiment

        texts = key_texts()
        yield from self._keys(Experiment, texts, "")
        for table, shape in tables_of(Experiment).items():
            yield from self._keys(shape, texts, f"{table}.")

    def _keys(self, shape: Any, texts: Mapping[str, str], prefix: str) -> Iterator[str]:
        hints = get_type_hints(shape)
        for field in fields(shape):
            yield f"`{prefix}{field.name}`"
            yield f": {type_name(hints[field.name])}; default `{default_text(field)}`."
            yield f"  {sentence(texts[f'{prefix}{field.name}'])}"
            yield ""


class ExperimentDefault(GeneratedMarkdown):
    """The default experiment as TOML."""

    def markdown(self) -> Iterator[str]:
        """Yield a code block."""
        from steertui.cli.root import Experiment

        yield "```toml"
        yield Experiment().to_toml()
        yield "```"


class DatabaseTables(GeneratedMarkdown):
    """Tables and views of a database that this version creates."""

    def markdown(self) -> Iterator[str]:
        """Yield a section for each table, then for each view."""
        described = read_descriptions()
        with tempfile.TemporaryDirectory() as folder:
            for kind, name, columns in read_schema(Path(folder) / "new.db"):
                about = described[name]
                yield f"### `{name}`"
                yield ""
                yield f"{'A view. ' if kind == 'view' else ''}{about['about']}"
                yield ""
                yield from column_table(columns, about["columns"])
                yield ""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("experiment-fields", ExperimentFields)
    app.add_directive("experiment-default", ExperimentDefault)
    app.add_directive("database-tables", DatabaseTables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
