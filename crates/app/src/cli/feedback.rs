//! `portcullis inspect feedback RECEIPT …`: what a person says of what inspection saw.

use admin::requests::FeedbackRequest;
use admin::view::FeedbackKept;
use audit::FeedbackVerdict;
use clap::Args;
use model::{ReceiptId, RuleId};

use super::Gate;
use super::failure::Failure;
use super::paint::{FAINT, GOOD, visible};

/// What inspection got wrong in a message.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("verdict").required(true))]
pub(crate) struct Feedback {
    /// The message's receipt, as its answer named it
    receipt: ReceiptId,
    /// What was seen is none
    #[arg(long, group = "verdict")]
    false_positive: bool,
    /// Something that is there was not seen
    #[arg(long, group = "verdict")]
    missed: bool,
    /// The rule that it is about, as the receipt names it
    #[arg(long)]
    rule: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Feedback {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let Self { receipt, false_positive, missed: _, rule, note } = self;
        let rule =
            rule.map(|rule| rule.parse::<RuleId>().map_err(|error| Failure::usage(format!("`{rule}`: {error}"))));
        let verdict = if false_positive { FeedbackVerdict::FalsePositive } else { FeedbackVerdict::Missed };
        let request = FeedbackRequest { verdict, rule: rule.transpose()?, note };
        let kept: FeedbackKept = gate.client()?.post(&format!("/receipts/{receipt}/feedback"), &request).await?;
        gate.print(&kept, |kept| {
            let id = visible(&kept.receipt);
            format!("{GOOD}✓{GOOD:#} it is in the journal as {id}\n{FAINT}  portcullis audit search --kind feedback{FAINT:#}\n")
        })
    }
}
