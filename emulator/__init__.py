"""The application: servers, head end, Cryptographic Modules, policy, command line."""

import sys
from pathlib import Path

# A script's own folder is looked in first. tlslite-ng, which testers have, puts a script there that
# is called tls.py, as our package is: no module is to come from that folder.
if sys.path and Path(sys.path[0], "tls.py").is_file() and Path(sys.path[0], "python").exists():
    del sys.path[0]
