"""sqlite-utils, imported without pandas.

sqlite-utils imports pandas, where it is installed, only to recognise its time stamps, of which the
store has none. That would cost every start of the program 0.3 to 0.5 seconds.
"""

import sys

_PANDAS = "pandas"

if _PANDAS in sys.modules:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations
else:
    sys.modules[_PANDAS] = None  # type: ignore[assignment]  # "None" makes its import fail
    try:
        from sqlite_utils import Database
        from sqlite_utils.migrations import Migrations
    finally:
        del sys.modules[_PANDAS]

__all__ = ["Database", "Migrations"]
