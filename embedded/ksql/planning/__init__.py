"""From statements and the catalog to typed plans."""
