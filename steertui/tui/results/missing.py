"""What the Results screen says of tables without rows.

A run or a judge at work refuses the key with which judges label, so that key is not named then.
"""

from steertui.analysis.table import Table

RUN_LABELS = "the run in progress labels them; 5 labels by hand"

AT_WORK = "judges can label when the run in progress has ended; 5 labels by hand"

EMPTY = {
    "rates-table": "no condition",
    "categories": "all scenarios are of one category",
    "changed": "no scenario has different labels under two conditions",
}
"""Why a table with labels has no rows, by widget id."""


def empty_reason(
    name: str, table: Table, *, has_pair: bool, is_at_work: bool, planned_judges: int = 0
) -> str:
    """Return why the table `name` has no rows, and which key changes that.

    `has_pair` says whether two judges or people labelled answers of the experiment, and
    `planned_judges` how many judges a run of it asks for labels.
    """
    if table.judge is None:
        remedy = "8 opens Judges, where l labels them; 5 labels by hand"
        if is_at_work:
            remedy = RUN_LABELS if planned_judges else AT_WORK
        return f"no answer is labelled yet: {remedy}"
    if name != "agreement":
        return EMPTY[name]
    if has_pair:
        return "no answer is labelled by two judges"
    remedy = "8 opens Judges, where l adds one; 5 labels by hand"
    if is_at_work:
        remedy = RUN_LABELS if planned_judges > 1 else AT_WORK
    return f"only one judge labelled these answers: {remedy}"
