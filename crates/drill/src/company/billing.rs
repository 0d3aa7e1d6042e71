//! `billing`: invoices and credits, with the personal data that invoices carry.

use std::sync::Mutex;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{Json, ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::observed::locked;

pub(super) struct Billing {
    tools: ToolRouter<Self>,
    invoices: Mutex<Vec<Invoice>>,
}

/// An invoice.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Invoice {
    /// Invoice id, for example `R-2026-0917`.
    invoice_id: String,
    /// Who is billed, for example `C-1001`.
    customer_id: String,
    /// The order it bills.
    order_id: String,
    /// Day of the invoice, ISO 8601.
    issued_on: String,
    /// Day by which it must be paid, ISO 8601.
    due_on: String,
    /// What is billed, in euro, value added tax included.
    amount: f64,
    /// What was credited, in euro.
    credited: f64,
    /// `paid`, `due` or `overdue`.
    status: String,
    /// Name and address as printed.
    billed_to: String,
    /// How it was or will be paid; account numbers are shortened.
    payment: String,
}

/// An invoice in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Invoice id, for example `R-2026-0917`.
    invoice_id: String,
    /// Day of the invoice, ISO 8601.
    issued_on: String,
    /// What is billed, in euro.
    amount: f64,
    /// `paid`, `due` or `overdue`.
    status: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Rows {
    /// The invoices, newest first.
    invoices: Vec<Row>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListInvoices {
    /// Whose invoices, for example `C-1001`.
    customer_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByInvoice {
    /// Invoice id, for example `R-2026-0917`.
    invoice_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IssueCredit {
    /// Invoice id, for example `R-2026-0917`.
    invoice_id: String,
    /// What to credit, in whole euro.
    amount: u32,
    /// Why, in one sentence. It is printed on the credit note.
    reason: String,
}

impl Billing {
    pub(super) const NAME: &str = "billing";

    pub(super) fn new() -> Self {
        Self { tools: Self::tool_router(), invoices: Mutex::new(invoices()) }
    }

    fn change(
        &self,
        id: &str,
        change: impl FnOnce(&mut Invoice) -> Result<(), String>,
    ) -> Result<Json<Invoice>, String> {
        let mut invoices = locked(&self.invoices);
        let invoice = invoices
            .iter_mut()
            .find(|invoice| invoice.invoice_id == id)
            .ok_or_else(|| format!("There is no invoice `{id}`."))?;
        change(invoice)?;
        Ok(Json(invoice.clone()))
    }
}

#[tool_router]
impl Billing {
    #[tool(
        description = "A customer's invoices, newest first: id, day, amount in euro and whether it is paid.",
        annotations(title = "List invoices", read_only_hint = true, open_world_hint = false)
    )]
    async fn list_invoices(
        &self,
        Parameters(ListInvoices { customer_id }): Parameters<ListInvoices>,
    ) -> Result<Json<Rows>, String> {
        let invoices = locked(&self.invoices)
            .iter()
            .filter(|invoice| invoice.customer_id == customer_id)
            .rev()
            .map(|invoice| Row {
                invoice_id: invoice.invoice_id.clone(),
                issued_on: invoice.issued_on.clone(),
                amount: invoice.amount,
                status: invoice.status.clone(),
            })
            .collect();
        Ok(Json(Rows { invoices }))
    }

    #[tool(
        description = "One invoice with name, address and how it is paid.",
        annotations(title = "Get an invoice", read_only_hint = true, open_world_hint = false)
    )]
    async fn get_invoice(
        &self,
        Parameters(ByInvoice { invoice_id }): Parameters<ByInvoice>,
    ) -> Result<Json<Invoice>, String> {
        self.change(&invoice_id, |_| Ok(()))
    }

    #[tool(
        description = "Credits whole euros on an invoice and sends the customer a credit note.",
        annotations(title = "Issue a credit", read_only_hint = false, destructive_hint = true, open_world_hint = true)
    )]
    async fn issue_credit(
        &self,
        Parameters(IssueCredit { invoice_id, amount, reason }): Parameters<IssueCredit>,
    ) -> Result<Json<Invoice>, String> {
        let amount = f64::from(amount);
        self.change(&invoice_id, |invoice| {
            if amount < 1.0 || invoice.credited + amount > invoice.amount || reason.trim().is_empty() {
                return Err(format!(
                    "Give a reason and between 1 and {:.0} euro.",
                    (invoice.amount - invoice.credited).floor()
                ));
            }
            invoice.credited += amount;
            Ok(())
        })
    }

    #[tool(
        description = "Sends the customer a friendly reminder of an invoice that is overdue.",
        annotations(
            title = "Send a reminder",
            read_only_hint = false,
            destructive_hint = false,
            open_world_hint = true
        )
    )]
    async fn send_reminder(
        &self,
        Parameters(ByInvoice { invoice_id }): Parameters<ByInvoice>,
    ) -> Result<Json<Invoice>, String> {
        self.change(&invoice_id, |invoice| match invoice.status.as_str() {
            "overdue" => Ok(()),
            status => Err(format!("The invoice is {status}; there is nothing to remind of.")),
        })
    }
}

#[tool_handler(router = self.tools)]
impl ServerHandler for Billing {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("brandt-vogel-billing", "2.7.0"))
            .with_instructions("Invoices of Brandt & Vogel. Invoices carry personal data; quote no more than needed.")
    }
}

fn invoices() -> Vec<Invoice> {
    let row =
        |id: &str, customer: &str, order: &str, days: (&str, &str), amount: f64, status: &str, paper: (&str, &str)| {
            Invoice {
                invoice_id: id.to_owned(),
                customer_id: customer.to_owned(),
                order_id: order.to_owned(),
                issued_on: days.0.to_owned(),
                due_on: days.1.to_owned(),
                amount,
                credited: 0.0,
                status: status.to_owned(),
                billed_to: paper.0.to_owned(),
                payment: paper.1.to_owned(),
            }
        };
    vec![
        row(
            "R-2026-0871",
            "C-1005",
            "A-20388",
            ("2026-09-29", "2026-10-29"),
            1083.0,
            "overdue",
            ("Wicklow Mountain Rescue, Kilmacanogue, Ireland", "bank transfer"),
        ),
        row(
            "R-2026-0904",
            "C-1003",
            "A-20402",
            ("2026-10-11", "2026-10-25"),
            219.0,
            "paid",
            ("Marieke de Boer, Prinsengracht 301, Amsterdam", "IBAN NL91 … 4300"),
        ),
        row(
            "R-2026-0917",
            "C-1001",
            "A-20417",
            ("2026-11-03", "2026-11-17"),
            84.9,
            "paid",
            ("Hanna Lindqvist, Skeppargatan 12, Stockholm", "card ending 4242"),
        ),
        row(
            "R-2026-0931",
            "C-1001",
            "A-20431",
            ("2026-11-16", "2026-11-30"),
            1249.0,
            "due",
            ("Hanna Lindqvist, Skeppargatan 12, Stockholm", "card ending 4242"),
        ),
    ]
}
