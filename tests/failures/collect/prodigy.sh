# prodigy within prodigy: damaged journals, and what its own steps print. PRODIGY names the binary.
prodigy="--tool=prodigy --version"
mkdir -p /home/user/bin && cp "${PRODIGY:-$here/../../target/debug/prodigy}" /home/user/bin/prodigy
TOOLS_PATH=/home/user/bin:$TOOLS_PATH
export PATH=/home/user/bin:$PATH
failed_session() {
  project; rm -rf /home/user/.prodigy
  printf 'commands:\n  - echo "connection refused, survived"\n  - "cat notes.txt && false"\n' >flow.yaml
  echo hello >notes.txt
  prodigy cook flow.yaml --output quiet >/dev/null 2>&1
  journal=$(ls /home/user/.prodigy/sessions/*/journal.jsonl)
  session=$(basename "$(dirname "$journal")")
}
failed_session
failure prodigy-inner unknown "prodigy cook flow.yaml" "$prodigy" --decoy "an inner step says 'connection refused, survived'"
failed_session; sed -i '3s/step/stop/; 3s/:/;/' "$journal"
failure prodigy-journal-line corrupt_state "prodigy resume $session" "$prodigy"
failed_session; truncate -s 400 "$journal"
failure prodigy-journal-cut corrupt_state "prodigy resume $session" "$prodigy"
