"""The application: servers, head end, Cryptographic Modules, policy, command line."""
