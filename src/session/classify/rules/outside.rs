//! What providers, servers, registries and the network say.

use super::{Rule, json, said};
use crate::session::FailureClass::{Auth, Network, RateLimit, ServerError};

pub(super) const OUTSIDE: &[Rule] = &[
    // Providers and servers
    json(
        RateLimit,
        10.0,
        r"rate_limit_error|RateLimitError|ThrottlingException|toomanyrequests|RESOURCE_EXHAUSTED|\((SlowDown|RequestLimitExceeded|TooManyRequests\w*|ProvisionedThroughputExceeded\w*)\)",
        "the provider refuses because of too many requests",
    ),
    said(
        RateLimit,
        9.5,
        r"too many requests|\brate[- ]limited\b|\brate[- ]limit (was |is |has been )?(exceeded|reached|hit)|(exceeded|hit|reached|over) (a|the|your)( \S+){0,2} rate[- ]limit|\brate exceeded\b|\breduce your request rate|\b(got|answered|returned|received|responded|replied)( with)?( (an?|http|status|code|error)){0,3} 429($|[^\w ])|(error|http(/[\d.]+)?|status|code)\W{0,3}( code)?\W{0,3}E?\b?429(\W{0,3}$|[:,;)}\]]| [-(]| client error| for\b)|\b429 \W?too many",
        "the provider refuses because of too many requests",
    ),
    json(
        RateLimit,
        10.0,
        r"\x22(message|error|code|type)\x22: ?\x22[^\x22]*(rate[ _]limit[^\x22]*(exceeded|reached)|too many requests)",
        "the provider refuses because of too many requests",
    ),
    said(
        RateLimit,
        9.0,
        r"(usage|session|weekly|monthly|daily) limit (reached|exceeded)|(hit|reached|exceeded) your .{0,20}(limit|quota)|quota (has been )?exceeded|insufficient_quota",
        "a limit of the account is reached",
    ),
    json(
        ServerError,
        10.0,
        r"overloaded_error|OverloadedError|api_error\b|InternalServerError",
        "the server could not answer",
    ),
    said(
        ServerError,
        9.0,
        r"\b5(00|02|03|04|29) \x22?(internal server error|bad gateway|service unavailable|gateway time-?out|overloaded)|internal server error|bad gateway|service (temporarily )?unavailable|gateway time-?out",
        "the server answered with an error",
    ),
    said(
        ServerError,
        9.0,
        r"\b(got|answered|returned|received|responded|replied)( with)?( (an?|http|status|code|error)){0,3} 5\d\d($|[^\w ])|(api error|error code|response code|returned error|http(/[\d.]+)?( error| status| code)?|status( code)?)\W{0,3}\b5\d\d\b",
        "the server answered with an error",
    ),
    // Credentials
    json(
        Auth,
        12.0,
        r"certificate[_ ]verif(y|ication)[_ ]fail|SSLCertVerificationError|SELF_SIGNED_CERT|CERT_HAS_EXPIRED|UNABLE_TO_VERIFY_LEAF_SIGNATURE|PKIX path building failed|x509: certificate",
        "the other side's certificate cannot be verified",
    ),
    said(
        Auth,
        12.0,
        r"self[- ]signed certificate|SSL certificate problem|unable to get local issuer certificate|certificate has expired|cannot verify \S+ certificate|failed to verify the legitimacy",
        "the other side's certificate cannot be verified",
    ),
    json(
        Auth,
        10.0,
        r"ExpiredToken|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|\(AccessDenied(Exception)?\)",
        "the credentials are wrong or missing",
    ),
    json(
        Auth,
        10.0,
        r"authentication_error|invalid (x-)?api[- ]key|AuthenticationError|NoCredentialProviders|\binvalid_(grant|client|token)\b|\bunauthorized_client\b",
        "the credentials are wrong or missing",
    ),
    said(
        Auth,
        10.0,
        r"permission denied \((publickey|password|keyboard)|host key verification failed|too many authentication failures",
        "the other side does not accept the key",
    ),
    said(
        Auth,
        9.5,
        r"authentication (failed|failure|required|error)|password authentication failed|no password supplied|access denied for user|login incorrect|incorrect (user ?name or )?password|bad credentials|invalid (user ?name|credentials|token|login)",
        "the credentials are wrong or missing",
    ),
    said(
        Auth,
        9.5,
        r"could not read (username|password)|terminal prompts disabled|a (password|terminal) is required|no basic auth credentials|\bENEEDAUTH\b|not logged in|please (run \S+ )?log ?in|credentials? (are|is|was|were) (missing|expired|invalid)|token( included in the request)? (has |is )?expired|unable to locate credentials|no (token|credentials|api key|password) (found|provided|configured|set)\b|set the \S*(TOKEN|KEY|PASSWORD|CREDENTIALS)\S* environment variable|(please|must|need to) (re)?authenticate|log ?in required|must be logged in|\bhave an active account|asked for the client to provide credentials|\bauthenticated registries require|\bto obtain new credentials|cannot (refresh|renew) .{0,30}(token|credentials)",
        "the credentials are missing",
    ),
    said(
        Auth,
        9.0,
        r"\b401 [(\x22]?(unauthorized|client error)|\b403 [(\x22]?(forbidden|client error)|(error|http(/[\d.]+)?|status|code)\W{0,3}E?\b?40[13]\b|\b(got|answered|returned|received|responded|replied)( with)?( (an?|http|status|code|error)){0,3} 40[13]($|[^\w ])|^unauthorized\b|requested access to the resource is denied|repository not found\.?$",
        "the server refuses these credentials",
    ),
    // Network
    said(
        Network,
        9.5,
        r"could(n't| not) resolve (host|proxy)|name or service not known|temporary failure (in name resolution|resolving)|nodename nor servname|no such host|\b(ENOTFOUND|EAI_AGAIN)\b|failed to lookup address|could not resolve hostname|dns error|unable to resolve host|unknown host\b|UnknownHostException|failed to resolve",
        "a host name could not be resolved",
    ),
    said(
        Network,
        9.0,
        r"connection (timed out|refused|reset|aborted)|\bE(CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH|NETUNREACH|PIPE)\b|no route to host|network is unreachable|host is unreachable|\bUNREACHABLE!|connection to \S+ \S+ \S+ was refused|empty reply from server|\bconnect(ion)? to (\S+ ){1,4}failed\b|[ -]no response$|\bno response from\b|server closed the connection|operation timed out|connect(ion)? timeout",
        "the connection failed",
    ),
    said(
        Network,
        8.5,
        r"(failed|could(n't| not)|cannot|can't|unable) to connect|(could(n't| not)|cannot|can't) connect to|is the \S+( \S+)? running\b|connection error\b|\bfetch failed|\b\w*Connect(ion)?(Refused|Reset|Aborted|Timeout)?(Error|Exception)\b|connection closed by|failed to establish a new connection|max retries exceeded with url|read timed out|\bNet::(Open|Read|Write)Timeout\b|i/o timeout|tls handshake (timeout|failure)|client\.timeout exceeded|socket hang up|net::ERR_|network (error|request failed)|spurious network|ssl_connect|ssl(eof)?error",
        "the connection failed",
    ),
    said(
        Network,
        9.0,
        r"curl: \((5|6|7|28|35|52|55|56|92)\)|^wget: unable to",
        "the connection failed",
    ),
    said(
        Network,
        8.5,
        r"\b(requests|urllib3|httpx|aiohttp|http\.client)\.\S*(Connect|Timeout|Protocol|RemoteDisconnected|NewConnection)\S*",
        "the connection failed",
    ),
    said(
        Network,
        7.0,
        r"failed to (fetch|download)( from| https?:)|download(ing)? .{0,80}failed|unable to fetch some archives",
        "a download failed",
    ),
    json(
        Network,
        11.0,
        r"connection broken by|Retry\(total=0",
        "the connection failed again and again",
    ),
    said(
        Network,
        3.0,
        r"could not read from remote repository|remote end hung up unexpectedly|rpc failed",
        "the remote repository cannot be reached",
    ),
];
