"""The `pipeline` command line: check, plan, deploy, watch, verify."""
