export const SHELLS = ['bash', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];

/** Asks the program itself what may follow, so that completion is never behind it. */
const BASH = `# Completion of kosmosctl for bash. Load it with: source <(kosmosctl completion bash)
_kosmosctl() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete "$COMP_CWORD" "\${COMP_WORDS[@]:1}" 2>/dev/null))
  if [ "\${COMPREPLY[0]}" = ':file' ]; then
    COMPREPLY=()
    compopt -o default 2>/dev/null
  fi
}
complete -F _kosmosctl kosmosctl
`;

const ZSH = `#compdef kosmosctl
# Completion of kosmosctl for zsh. Load it with: source <(kosmosctl completion zsh)
_kosmosctl() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete "$((CURRENT - 1))" "\${(@)words[2,-1]}" 2>/dev/null)}")
  if [ "\${found[1]}" = ':file' ]; then
    _files
  elif [ -n "\${found[1]}" ]; then
    compadd -- "\${found[@]}"
  fi
}
(( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit -u; }
compdef _kosmosctl kosmosctl
`;

export function completionScript(shell: Shell): string {
  return shell === 'bash' ? BASH : ZSH;
}
