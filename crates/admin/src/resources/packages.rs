//! What is in the packages of servers, as reviewers have them examined. Whoever approves reads it; and what a manifest asks of a
//! package must be so, or nobody can approve.

use std::sync::Arc;

use dossier::Examination;
use dossier::provenance::{Demand, Strength};
use model::{Expected, limits};
use registry::{Least, PackageManifest, ProvenanceManifest, ServerManifest};

use crate::fault::{Code, Fault};
use crate::port::KeptPackage;
use crate::requests::ServerPath;
use crate::route::{Call, Nothing};
use crate::view::PackageView;
use crate::{Admin, Whom, busy};

pub(crate) async fn keep(
    admin: Arc<Admin>,
    call: Call<ServerPath, Nothing, Examination>,
) -> Result<PackageView, Fault> {
    let mut examination = call.body;
    let bytes = serde_json::to_vec(&examination).map_or(usize::MAX, |text| text.len());
    if bytes > limits::EXAMINATION_BYTES_MAX {
        let most = limits::EXAMINATION_BYTES_MAX;
        return Err(Fault::new(Code::RequestInvalid, format!("an examination has at most {most} bytes")));
    }
    let name = &call.path.name;
    let manifest = admin.registry.server(name).await?.manifest;
    let earlier = admin.packages.package(name).await?.map(|kept| kept.examination);
    // Whoever had it examined says what is in it. Who made it is verified here once more, from the evidence.
    let examination = busy(move || {
        examination.verify(earlier.as_ref());
        examination
    })
    .await?;
    let change = admin.change(&call.person, Expected::Any, None)?;
    admin.packages.keep_package(name, examination, change).await?;
    // What is known of it here is not what whoever had it examined knew.
    admin.vetting.look(&Whom::Only(name.clone())).await?;
    let kept = of_server(&admin, &manifest).await?;
    kept.ok_or_else(|| Fault::new(Code::NotFound, "the server was removed meanwhile"))
}

/// What is known of a server's package.
pub(super) async fn of_server(admin: &Admin, server: &ServerManifest) -> Result<Option<PackageView>, Fault> {
    let view = |KeptPackage { examination, by, at, .. }| {
        let unmet = unmet(server.package.as_ref(), Some(&examination));
        PackageView { examination, by, at: at.0, unmet }
    };
    Ok(admin.packages.package(&server.name).await?.map(view))
}

/// Why a package is not what is asked for.
pub(crate) fn unmet(wanted: Option<&PackageManifest>, found: Option<&Examination>) -> Option<String> {
    let (sha256, provenance) =
        wanted.map_or((None, None), |wanted| (wanted.sha256.as_ref(), wanted.provenance.as_ref()));
    if let Some(sha256) = sha256 {
        let digest = found.and_then(|found| found.sha256.as_deref());
        if digest != Some(sha256.as_str()) {
            let digest = digest.map_or("it was never examined".to_owned(), |digest| format!("its digest is {digest}"));
            return Some(format!("{digest}, and sha256 {sha256} is asked for"));
        }
    }
    if provenance.is_some_and(|provenance| !provenance.required) {
        return None;
    }
    let known = found.map(|found| &found.provenance);
    if let Some(provenance) = provenance {
        let nothing = dossier::provenance::Provenance::default();
        if let Err(unmet) = demand(provenance).met(known.unwrap_or(&nothing)) {
            return Some(unmet.to_string());
        }
        // Whoever names the maker has said what is good enough, whoever it was before.
        return None;
    }
    known.and_then(dossier::provenance::Provenance::fallen)
}

fn demand(wanted: &ProvenanceManifest) -> Demand {
    let ProvenanceManifest { required: _, strength, issuer, repository, workflow, subject, certificate } = wanted;
    let text = |line: &Option<registry::manifest::Line>| line.as_ref().map(|line| line.as_str().to_owned());
    Demand {
        strength: strength.map(|least| match least {
            Least::Signed => Strength::Signed,
            Least::Published => Strength::Published,
            Least::Built => Strength::Built,
        }),
        issuer: text(issuer),
        repository: text(repository),
        workflow: text(workflow),
        subject: text(subject),
        certificate: certificate.as_ref().map(|digest| digest.as_str().to_owned()),
    }
}
