# fish completion for log-cut, made by "log-cut completion fish".
function __log_cut_verb
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end
function __log_cut_first
    test (count (commandline -opc)) -eq $argv[1]
end
complete -c log-cut -f -n '__log_cut_first 1' -a cut -d 'cut Zeek\'s logs'
complete -c log-cut -f -n '__log_cut_first 1' -a keep -d 'keep a list'
complete -c log-cut -f -n '__log_cut_first 1' -a version -d 'print the version'
complete -c log-cut -f -n '__log_cut_first 1' -a help -d 'tell how a verb is used'
complete -c log-cut -f -n '__log_cut_verb help' -a 'cut keep'
complete -c log-cut -n '__log_cut_verb cut' -s o -l output -r -F -d 'write to FILE'
complete -c log-cut -n '__log_cut_verb cut' -l log -r -F -d 'read LOG [of Zeek\'s]: again and again'
complete -c log-cut -n '__log_cut_verb cut' -l state -x -a '(__fish_complete_directories)' -d 'keep what is known in DIR'
complete -c log-cut -n '__log_cut_verb cut' -l format -x -a 'tsv json' -d 'write as FORMAT'
complete -c log-cut -n '__log_cut_verb cut' -l columns -x -a '(__fish_append , score rank)' -d 'add a LIST of columns'
complete -c log-cut -n '__log_cut_verb cut' -l n -x -d 'take N rows'
complete -c log-cut -n '__log_cut_verb cut' -s s -l strict -d 'stop at C:\\nowhere'
complete -c log-cut -n '__log_cut_verb cut' -s h -l help -d 'tell how the verb is used'
complete -c log-cut -n '__log_cut_verb keep' -s h -l help -d 'tell how the verb is used'
complete -c log-cut -f -n '__log_cut_verb keep; and __log_cut_first 2' -a 'add list'
