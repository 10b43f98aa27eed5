"""The choice of how log lines look, apart from what writes them: most commands write none."""

FORMATS = ("console", "json")
VARIABLE = "PIPELINE_LOG_FORMAT"
