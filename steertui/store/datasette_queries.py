"""Tables and stored queries of a database for Datasette."""

from steertui.store.store import Store

QUERIES = {
    "rates_by_condition": {
        "title": "Convergence by condition",
        "sql": """SELECT experiment, judge, model, temperature, condition, valid, convergence,
            convergence_percent FROM rates ORDER BY experiment, judge, model, condition""",
    },
    "answers_that_converge": {
        "title": "Answers labelled convergence, with their prompts",
        "sql": """SELECT model, scenario, condition, judge, p_convergence, answer, prompt
            FROM answers WHERE label = 'convergence' AND condition = :condition LIMIT 100""",
    },
    "judges_that_differ": {
        "title": "Answers to which two judges gave different labels",
        "sql": """SELECT a.model, a.scenario, a.condition, a.judge, a.label, b.judge AS other_judge,
            b.label AS other_label, a.answer
            FROM answers AS a JOIN answers AS b ON b.key = a.key AND b.experiment = a.experiment
            WHERE a.judge < b.judge AND a.label <> b.label LIMIT 100""",
    },
    "search": {
        "title": "Full-text search over the answers",
        "sql": """SELECT g.trial, g.answer FROM generations_fts AS f
            JOIN generations AS g ON g.id = f.rowid
            WHERE generations_fts MATCH :words LIMIT 100""",
    },
}
"""Queries by name, as Datasette takes them; a word after a colon is a parameter."""


def public_tables(store: Store) -> dict[str, list[str]]:
    """Return the columns of every table and view by its name; SQLite's own are left out."""
    sql = """SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c
        WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite%' ORDER BY m.rowid, c.cid"""
    tables: dict[str, list[str]] = {}
    for table, column in store.tuples(sql):
        tables.setdefault(table, []).append(column)
    return tables
