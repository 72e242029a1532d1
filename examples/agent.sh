#!/bin/sh
# Stands in for the Claude command line tool: reads the prompt from stdin, answers with the lines that
# `claude -p --output-format stream-json --verbose` prints, and calls nobody.
prompt=$(cat)
session=
while [ $# -gt 0 ]; do
    case $1 in
    --session-id | --resume) session=$2; shift ;;
    esac
    shift
done
line() { printf '%s\n' "$1"; }

line '{"type":"system","subtype":"init","session_id":"'"$session"'","model":"stand-in","tools":["Read"],"permissionMode":"acceptEdits"}'
line '{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"I have read '"${#prompt}"' characters."}]},"parent_tool_use_id":null,"session_id":"'"$session"'"}'
line '{"type":"result","subtype":"success","is_error":false,"num_turns":1,"result":"{\"verdict\": \"clear\"}","session_id":"'"$session"'","total_cost_usd":0.01,"usage":{"input_tokens":100,"output_tokens":20},"permission_denials":[]}'
