# bash completion for log-cut, made by "log-cut completion bash".
# shellcheck shell=bash disable=SC2207
_log_cut() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} words= before=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W 'cut keep version help --version --help' -- "$cur"))
    return
  fi
  # --option=value comes as three words.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
  case "$verb $prev" in
    'help help') words='cut keep' ;;
    'cut -o'|'cut --output') return ;;
    'cut --log') return ;;
    'cut --state') compopt -o dirnames +o default 2>/dev/null; return ;;
    'cut --format') words='tsv json' ;;
    'cut --columns') words='score rank'; [[ $cur != *,* ]] || before=${cur%,*}, ;;
    'cut --n') compopt +o default 2>/dev/null; return ;;
    'keep keep') [[ $cur == -* ]] || words='add list' ;;
  esac
  if [[ -n $words ]]; then
    COMPREPLY=($(compgen -P "$before" -W "$words" -- "${cur##*,}"))
    return
  fi
  [[ $cur == -* ]] || return
  case $verb in
    cut) words='-o --output --log --state --format --columns --n -s --strict --help' ;;
    keep) words='--help' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _log_cut log-cut
