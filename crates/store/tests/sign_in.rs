//! The façade over a real backend: a person, their browser, a client and an identity provider, without a network.
//!
//! Each rule of MCP's best practices for whoever stands between a client and another authorization server is a test here, and
//! so is each thing that is good once.

#[cfg(test)]
mod sign_in {
    mod attacks;
    mod clients;
    mod endings;
    mod flow;
    mod grants;
    mod provider;
    mod world;
}
