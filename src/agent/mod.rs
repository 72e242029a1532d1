//! Everything about the Claude CLI except starting it: what it is told, what it says, what that means
//! (SPEC 5, 7.4). Pure: does no IO.

mod command;
mod failure;
mod happening;
mod limits;
mod reset;
mod schema;
mod schema_check;
mod stream;
mod torn;
mod verdict;

pub use command::{
    Call, Conversation, Refusal, arguments, environment, refusal, resume_prompt, slash_command,
};
pub use failure::{AgentFailure, RetryAdvice};
pub use happening::Happening;
pub use limits::{Pause, backoff, pause};
pub use reset::reset_time;
pub use schema::schema_problems;
pub use schema_check::{mismatches, structured_answer};
pub use stream::{ApiRetry, Init, Limit, Reader, ResultLine};
pub use verdict::{Answer, Exit, Failed, Verdict, verdict};
