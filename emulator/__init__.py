"""The application: servers, head end, Cryptographic Modules, policy, command line."""

import sys
from pathlib import Path

# A script's own folder is looked in first. tlslite-ng, which testers have, puts a script there that
# is called tls.py, as our package is.
if sys.path and Path(sys.path[0], "tls.py").is_file():
    sys.path.append(sys.path.pop(0))
