"""The collective's members and groups, in the OpenLDAP of `services/directory`."""
