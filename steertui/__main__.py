"""Entry point of `steertui` and `python -m steertui`."""

# Everything else is imported later. Until then Python looks for modules in the working folder.
import os
import sys


def main() -> None:
    """Run the command line (`steertui.cli.entry`)."""
    from steertui.cli.entry import main as run

    run()


def _leave_working_folder() -> None:
    """Remove the folder that `python -m` put in front of the import path, as `python -P` does.

    The folder that contains this package stays, for `python -m steertui` in a checkout.
    """
    # pathlib would come from the working folder.
    package = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120
    checkout = os.path.dirname(package)  # noqa: PTH120
    if not sys.flags.safe_path and os.path.realpath(sys.path[0]) != checkout:
        del sys.path[0]


if __name__ == "__main__":
    _leave_working_folder()
    main()
