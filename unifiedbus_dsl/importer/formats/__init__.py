"""One module a format that is read; `unifiedbus_dsl.importer.registry` lists them."""
