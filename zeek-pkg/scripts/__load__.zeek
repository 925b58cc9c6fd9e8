# Empty on purpose. Zeek parses a plugin's scripts before everything else, when
# Conn::Info does not exist yet; the package's scripts are in scripts/, which
# zkg installs. The types of the plugin's functions are in types.zeek.
