# Zeek parses this before the plugin's functions, which are declared with these
# types.
@load ./types
