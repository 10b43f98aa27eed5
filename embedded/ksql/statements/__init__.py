"""From parsed statements and the catalog to changes of the catalog and the cluster."""
