//! The flags of Jupiter's swap API, version 6, as its vendor documents them; each has a twin in the environment.

use clap::Parser;

/// Answers as Jupiter's swap API does, at fixed prices. It asks no one and knows no market: for tests of what
/// stands around it.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Options {
    /// The RPC node's address; taken, and not asked.
    #[arg(long, env = "RPC_URL", value_parser = address)]
    pub rpc_url: String,
    /// More RPC nodes.
    #[arg(long, env = "SECONDARY_RPC_URLS", value_delimiter = ',', value_parser = address)]
    pub secondary_rpc_urls: Vec<String>,
    /// Yellowstone's address, with its scheme.
    #[arg(short = 'e', long, env = "YELLOWSTONE_GRPC_ENDPOINT", value_parser = address)]
    pub yellowstone_grpc_endpoint: Option<String>,
    /// The token for Yellowstone.
    #[arg(short = 'x', long, env = "YELLOWSTONE_GRPC_X_TOKEN", hide_env_values = true)]
    pub yellowstone_grpc_x_token: Option<String>,
    /// Ping Yellowstone.
    #[arg(long, env = "YELLOWSTONE_GRPC_ENABLE_PING")]
    pub yellowstone_grpc_enable_ping: bool,
    /// How Yellowstone compresses.
    #[arg(long, env = "YELLOWSTONE_GRPC_COMPRESSION_ENCODING")]
    pub yellowstone_grpc_compression_encoding: Option<String>,
    /// Where markets are listed.
    #[arg(long, env = "MARKET_CACHE")]
    pub market_cache: Option<String>,
    /// How markets are had.
    #[arg(long, env = "MARKET_MODE", default_value = "europa", value_parser = ["europa", "remote", "file"])]
    pub market_mode: String,
    /// How often markets are read again.
    #[arg(long, env = "SNAPSHOT_POLL_INTERVAL_MS")]
    pub snapshot_poll_interval_ms: Option<u64>,
    /// The only programs whose markets count.
    #[arg(long, env = "DEX_PROGRAM_IDS", value_delimiter = ',')]
    pub dex_program_ids: Vec<String>,
    /// Programs whose markets do not count.
    #[arg(long, env = "EXCLUDE_DEX_PROGRAM_IDS", value_delimiter = ',')]
    pub exclude_dex_program_ids: Vec<String>,
    /// Mints that markets must have.
    #[arg(long, env = "FILTER_MARKETS_WITH_MINTS", value_delimiter = ',')]
    pub filter_markets_with_mints: Vec<String>,
    /// The address to listen on.
    #[arg(short = 'H', long, env = "HOST", default_value = "0.0.0.0")]
    pub host: String,
    /// The port to listen on.
    #[arg(short, long, env = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// The port for Prometheus; none if it is not given.
    #[arg(long, env = "METRICS_PORT")]
    pub metrics_port: Option<u16>,
    /// Let markets be added.
    #[arg(long, env = "ENABLE_ADD_MARKET")]
    pub enable_add_market: bool,
    /// List markets.
    #[arg(long, env = "ENABLE_MARKETS")]
    pub enable_markets: bool,
    /// List tokens.
    #[arg(long, env = "ENABLE_TOKENS")]
    pub enable_tokens: bool,
    /// Diagnose routes.
    #[arg(long, env = "ENABLE_DIAGNOSTIC")]
    pub enable_diagnostic: bool,
    /// Quote and simulate in one.
    #[arg(long, env = "EXPOSE_QUOTE_AND_SIMULATE")]
    pub expose_quote_and_simulate: bool,
    /// Routes that lead back.
    #[arg(long, env = "ALLOW_CIRCULAR_ARBITRAGE")]
    pub allow_circular_arbitrage: bool,
    /// Load other markets.
    #[arg(long, env = "ENABLE_EXTERNAL_AMM_LOADING")]
    pub enable_external_amm_loading: bool,
    /// Do not load the cache of swaps.
    #[arg(long, env = "DISABLE_SWAP_CACHE_LOADING")]
    pub disable_swap_cache_loading: bool,
    /// Threads that route.
    #[arg(long, env = "TOTAL_THREAD_COUNT", default_value_t = 3)]
    pub total_thread_count: usize,
    /// Threads that answer.
    #[arg(long, env = "WEBSERVER_THREAD_COUNT", default_value_t = 2)]
    pub webserver_thread_count: usize,
    /// Threads that follow markets.
    #[arg(long, env = "UPDATE_THREAD_COUNT", default_value_t = 4)]
    pub update_thread_count: usize,
    /// Accounts in one subscription.
    #[arg(long, env = "GEYSER_STREAMING_CHUNK_COUNT", default_value_t = 12)]
    pub geyser_streaming_chunk_count: usize,
}

/// An address with its scheme, without which the program itself fails at its first request.
fn address(text: &str) -> Result<String, String> {
    let scheme = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    if scheme { Ok(text.to_owned()) } else { Err("it must start with http:// or https://".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_judged() {
        let parse = |words: &[&str]| Options::try_parse_from([&["jupiter-swap-api"], words].concat());
        let options = parse(&["--rpc-url", "http://rpc:8899", "-e", "http://grpc:10000", "-p", "9000"]).expect("good");
        assert_eq!((options.port, options.market_mode.as_str(), options.total_thread_count), (9000, "europa", 3));
        for wrong in [
            &["--rpc-url", "rpc:8899"][..],
            &["--rpc-url", "http://rpc", "--market-mode", "local"],
            &["--rpc-url", "http://rpc", "--cache-update-interval", "1"],
            &[],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
