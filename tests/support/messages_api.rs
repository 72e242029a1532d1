//! A stand-in for the Messages API on the loopback, for the real Claude CLI: no network, no money.

#![allow(dead_code, reason = "each test file uses the parts it needs")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

/// How requests are answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A text.
    Text(String),
    /// The `Bash` tool with this command; the text when its result comes.
    Bash(String, String),
    /// This HTTP status.
    Status(u16),
    /// 429 with `retry-after`: seconds.
    RetryAfter(u64),
    /// The stream begins, and nothing follows.
    Silence,
}

/// A server of its own for one test.
pub struct MessagesApi {
    address: String,
    replies: Arc<Mutex<Vec<Reply>>>,
    requests: Arc<Mutex<Vec<Json>>>,
}

impl MessagesApi {
    /// Each reply serves one request, the last all that follow.
    pub fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let api =
            Self { address, replies: Arc::new(Mutex::new(replies)), requests: Arc::default() };
        let (replies, requests) = (Arc::clone(&api.replies), Arc::clone(&api.requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (replies, requests) = (Arc::clone(&replies), Arc::clone(&requests));
                // A client that goes away in the middle is no failure of the test.
                std::thread::spawn(move || drop(answer(stream, &replies, &requests)));
            }
        });
        api
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// From now on requests are answered so.
    pub fn reply(&self, reply: Reply) {
        *self.replies.lock().unwrap() = vec![reply];
    }

    /// The bodies of all requests for a message.
    pub fn requests(&self) -> Vec<Json> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(
    mut stream: TcpStream,
    replies: &Mutex<Vec<Reply>>,
    requests: &Mutex<Vec<Json>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if !first.starts_with("POST /v1/messages?") && !first.starts_with("POST /v1/messages ") {
        return send(&mut stream, 200, "application/json", "", "{}");
    }
    let request: Json = serde_json::from_slice(&body).unwrap_or_default();
    requests.lock().unwrap().push(request.clone());
    let reply = {
        let mut replies = replies.lock().unwrap();
        if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
    };
    let has_result =
        request["messages"].as_array().and_then(|all| all.last()).is_some_and(|last| {
            last["content"]
                .as_array()
                .is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "tool_result"))
        });
    let (block, reason) = match reply {
        Reply::Status(status) => return refuse(&mut stream, status, ""),
        Reply::RetryAfter(seconds) => {
            return refuse(&mut stream, 429, &format!("retry-after: {seconds}\r\n"));
        }
        Reply::Silence => {
            let head = "HTTP/1.1 200 as-told\r\ncontent-type: text/event-stream\r\n\r\n";
            stream.write_all(head.as_bytes())?;
            // Until the client goes away.
            return reader.read(&mut [0]).map(drop);
        }
        Reply::Bash(command, _) if !has_result => {
            let input = json!({"command": command, "description": "test"});
            (
                json!({"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": input}),
                "tool_use",
            )
        }
        Reply::Text(text) | Reply::Bash(_, text) => {
            (json!({"type": "text", "text": text}), "end_turn")
        }
    };
    if request["stream"] == true {
        send(&mut stream, 200, "text/event-stream", "", &events(&block, reason))
    } else {
        let mut message = message(reason);
        message["content"] = json!([block]);
        send(&mut stream, 200, "application/json", "", &message.to_string())
    }
}

fn refuse(stream: &mut TcpStream, status: u16, headers: &str) -> std::io::Result<()> {
    let kind = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    let error = json!({"type": "error", "error": {"type": kind, "message": "as the test wishes"}});
    send(stream, status, "application/json", headers, &error.to_string())
}

fn message(reason: &str) -> Json {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-test", "content": [],
        "stop_reason": reason, "stop_sequence": null,
        "usage": {"input_tokens": 1000, "output_tokens": 20},
    })
}

/// The message as the API streams it.
fn events(block: &Json, reason: &str) -> String {
    let mut start = block.clone();
    let delta = if block["type"] == "text" {
        start["text"] = json!("");
        json!({"type": "text_delta", "text": block["text"]})
    } else {
        start["input"] = json!({});
        json!({"type": "input_json_delta", "partial_json": block["input"].to_string()})
    };
    let mut begun = message(reason);
    begun["stop_reason"] = Json::Null;
    let events = [
        json!({"type": "message_start", "message": begun}),
        json!({"type": "content_block_start", "index": 0, "content_block": start}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": {"output_tokens": 20}}),
        json!({"type": "message_stop"}),
    ];
    let told =
        |event: &Json| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(told).collect()
}

/// `headers` are whole lines.
fn send(
    stream: &mut TcpStream,
    status: u16,
    kind: &str,
    headers: &str,
    body: &str,
) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status} as-told\r\ncontent-type: {kind}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()
}
