"""A plugin of netspec, as a third party would write it."""
