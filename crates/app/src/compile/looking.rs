//! What the gate needs to look at a server by itself, which people may not have approved yet.

use anyhow::Context as _;
use gateway::Key;
use identity::Credential;
use registry::{ServerManifest, ZoneManifest};
use upstream::Route;

use super::Compiler;

impl Compiler {
    /// How the credential of a server comes about, whether or not it is approved yet; `None` if it wants none.
    ///
    /// # Errors
    /// When the zones cannot be read.
    pub(crate) async fn key_of(&self, manifest: &ServerManifest) -> anyhow::Result<Option<Key>> {
        let zones = self.zones().await?;
        Ok(self.key(manifest, &zones))
    }

    /// What the gate presents where it looks at a server by itself: who it is, too, where the server is told that.
    ///
    /// # Errors
    /// When nothing can be signed.
    pub(crate) fn own(
        &self,
        manifest: &ServerManifest,
        credential: Option<Credential>,
    ) -> anyhow::Result<Option<Credential>> {
        let Some(address) = manifest.address().filter(|address| address.asserted) else { return Ok(credential) };
        let signed = self.assertions.sign(address.url.as_str(), None)?;
        Ok(Some(credential.unwrap_or_default().asserting(signed)))
    }

    /// The way to a server that need not be approved yet, within its zone as it is drawn now. A local one is started for
    /// whoever takes it, and ends with that.
    ///
    /// # Errors
    /// When the zones cannot be read, the zone is not declared or the URL cannot be used.
    pub(crate) async fn way(&self, manifest: &ServerManifest) -> anyhow::Result<Route> {
        if let Some(command) = manifest.command() {
            return self.locals.trial(manifest, command);
        }
        let zones = self.zones().await?;
        let shows = self.shown.of(manifest)?;
        let route = registry::route(manifest, &zones, &self.egress, shows.as_ref())?;
        // What is heard of the server by the way is known to whoever waits to call it.
        Ok(route.through(&self.turnstiles.of(&manifest.name, None, manifest.concurrency())))
    }

    /// Where a server is and the way there for whoever asks it what strangers ask: within its zone, and over connections that nothing
    /// else uses. None for a server that the gate starts.
    ///
    /// # Errors
    /// As [`Compiler::way`].
    pub(crate) async fn outside(&self, manifest: &ServerManifest) -> anyhow::Result<Option<(http::Uri, egress::Lane)>> {
        let Some(address) = manifest.address() else { return Ok(None) };
        let zones = self.zones().await?;
        let reach = registry::reach(&address.zone, &zones);
        let reach = reach.with_context(|| format!("the zone `{}` is not declared", address.zone))?;
        let url = address.url.as_str().parse().with_context(|| format!("the URL of server `{}`", manifest.name))?;
        let shows = self.shown.of(manifest)?;
        let lane = self.egress.lane_that_shows(&format!("{}, probed", manifest.name), &reach, shows.as_ref());
        Ok(Some((url, lane)))
    }

    /// The way out for programs that are tried, within a zone as it is drawn now.
    ///
    /// # Errors
    /// When the zones cannot be read, or the zone is not declared.
    pub(crate) async fn registries(&self, zone: &str) -> anyhow::Result<egress::Lane> {
        let zones = self.zones().await?;
        let name = zone.parse().with_context(|| format!("`{zone}` is no zone"))?;
        let reach = registry::reach(&name, &zones);
        let reach = reach.with_context(|| format!("the zone `{zone}` of `[trials]` is not declared"))?;
        Ok(self.egress.lane("programs that are tried", &reach))
    }

    async fn zones(&self) -> anyhow::Result<Vec<ZoneManifest>> {
        self.state.zones().await.context("cannot read the zones")
    }
}
