# The plugin is there, and a Zeek that only lists its plugins runs.
#
# @TEST-GROUP: smoke
# @TEST-EXEC: zeek -N >all
# @TEST-EXEC: zeek -NN IForest::Scorer | sed 's/version [0-9.]*/version/' >output
# @TEST-EXEC: btest-diff output
