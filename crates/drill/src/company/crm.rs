//! `crm`: the customers, who may be anyone's neighbours.

use std::sync::Mutex;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, Implementation, JsonObject, ListPromptsResult,
    ListResourceTemplatesResult, PaginatedRequestParams, Prompt, PromptArgument, PromptMessage,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ResourceContents, ResourceTemplate, Role,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, Json, RoleServer, ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::observed::locked;

/// The prompt's name.
const DRAFT_REPLY: &str = "draft_reply";
/// What stands before a customer's id in a resource URI.
const CUSTOMER_URI: &str = "crm://customers/";

pub(super) struct Crm {
    tools: ToolRouter<Self>,
    customers: Mutex<Vec<Customer>>,
}

/// A customer as the shop knows them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Customer {
    /// Customer id, for example `C-1001`.
    customer_id: String,
    /// Full name.
    name: String,
    /// Mail address.
    email: String,
    /// Telephone number in international form.
    phone: String,
    /// Postal address on one line.
    address: String,
    /// `standard`, `silver` or `gold`.
    tier: String,
    /// Day of the first order, ISO 8601.
    customer_since: String,
    /// What colleagues wrote down, oldest first.
    notes: Vec<String>,
}

/// A customer in a list: enough to choose by.
#[derive(Debug, Serialize, JsonSchema)]
struct Match {
    /// Customer id, for example `C-1001`.
    customer_id: String,
    /// Full name.
    name: String,
    /// Mail address.
    email: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Matches {
    /// The customers found, by customer id.
    customers: Vec<Match>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindCustomer {
    /// Part of a name or mail address; case does not matter. At least two characters.
    query: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByCustomer {
    /// Customer id, for example `C-1001`.
    customer_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateContact {
    /// Customer id, for example `C-1001`.
    customer_id: String,
    /// The new mail address; leave out to keep the old one.
    #[serde(default)]
    email: Option<String>,
    /// The new telephone number; leave out to keep the old one.
    #[serde(default)]
    phone: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddNote {
    /// Customer id, for example `C-1001`.
    customer_id: String,
    /// The note, plain text.
    text: String,
}

impl Crm {
    pub(super) const NAME: &str = "crm";

    pub(super) fn new() -> Self {
        Self { tools: Self::tool_router(), customers: Mutex::new(customers()) }
    }

    fn customer(&self, id: &str) -> Option<Customer> {
        locked(&self.customers).iter().find(|customer| customer.customer_id == id).cloned()
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Customer)) -> Result<Json<Customer>, String> {
        let mut customers = locked(&self.customers);
        let customer =
            customers.iter_mut().find(|customer| customer.customer_id == id).ok_or_else(|| no_customer(id))?;
        change(customer);
        Ok(Json(customer.clone()))
    }
}

fn no_customer(id: &str) -> String {
    format!("There is no customer `{id}`. Use find_customer to look for one.")
}

#[tool_router]
impl Crm {
    #[tool(
        description = "Finds customers by part of their name or mail address. Returns id, name and mail address; use \
                       get_customer for the rest.",
        annotations(title = "Find customers", read_only_hint = true, open_world_hint = false)
    )]
    async fn find_customer(
        &self,
        Parameters(FindCustomer { query }): Parameters<FindCustomer>,
    ) -> Result<Json<Matches>, String> {
        let wanted = query.trim().to_lowercase();
        if wanted.chars().count() < 2 {
            return Err("Give at least two characters to look for.".to_owned());
        }
        let customers = locked(&self.customers)
            .iter()
            .filter(|customer| {
                customer.name.to_lowercase().contains(&wanted) || customer.email.to_lowercase().contains(&wanted)
            })
            .map(|found| Match {
                customer_id: found.customer_id.clone(),
                name: found.name.clone(),
                email: found.email.clone(),
            })
            .collect();
        Ok(Json(Matches { customers }))
    }

    #[tool(
        description = "Everything the shop knows about one customer: contact details, address, tier and notes.",
        annotations(title = "Get a customer", read_only_hint = true, open_world_hint = false)
    )]
    async fn get_customer(
        &self,
        Parameters(ByCustomer { customer_id }): Parameters<ByCustomer>,
    ) -> Result<Json<Customer>, String> {
        self.customer(&customer_id).map(Json).ok_or_else(|| no_customer(&customer_id))
    }

    #[tool(
        description = "Changes a customer's mail address, telephone number, or both. The customer is told by mail at \
                       the old address.",
        annotations(
            title = "Update contact details",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn update_contact(
        &self,
        Parameters(UpdateContact { customer_id, email, phone }): Parameters<UpdateContact>,
    ) -> Result<Json<Customer>, String> {
        if email.is_none() && phone.is_none() {
            return Err("Give a mail address, a telephone number, or both.".to_owned());
        }
        self.change(&customer_id, |customer| {
            if let Some(email) = email {
                customer.email = email;
            }
            if let Some(phone) = phone {
                customer.phone = phone;
            }
        })
    }

    #[tool(
        description = "Adds a note to a customer, for colleagues to read. Notes cannot be changed afterwards.",
        annotations(title = "Add a note", read_only_hint = false, destructive_hint = false, open_world_hint = false)
    )]
    async fn add_note(
        &self,
        Parameters(AddNote { customer_id, text }): Parameters<AddNote>,
    ) -> Result<Json<Customer>, String> {
        self.change(&customer_id, |customer| customer.notes.push(text))
    }

    #[tool(
        description = "Deletes a customer and all that is known of them, for a request under article 17 GDPR. This \
                       cannot be undone.",
        annotations(
            title = "Delete a customer",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn delete_customer(
        &self,
        Parameters(ByCustomer { customer_id }): Parameters<ByCustomer>,
    ) -> Result<String, String> {
        let mut customers = locked(&self.customers);
        let before = customers.len();
        customers.retain(|customer| customer.customer_id != customer_id);
        if customers.len() == before { Err(no_customer(&customer_id)) } else { Ok(format!("Deleted {customer_id}.")) }
    }
}

#[tool_handler(router = self.tools)]
impl ServerHandler for Crm {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_resources()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("brandt-vogel-crm", "4.2.1"))
            .with_instructions("Customers of Brandt & Vogel. Look customers up by name first; ids start with `C-`.")
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let arguments = vec![
            PromptArgument::new("customer_id")
                .with_description("Who to write to, for example C-1001")
                .with_required(true),
            PromptArgument::new("topic").with_description("What the customer asked about").with_required(true),
        ];
        let prompt = Prompt::new(DRAFT_REPLY, Some("Drafts a reply to a customer in the shop's tone"), Some(arguments));
        Ok(ListPromptsResult::with_all_items(vec![prompt]))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if request.name != DRAFT_REPLY {
            return Err(ErrorData::invalid_params(format!("no prompt `{}`", request.name), None));
        }
        let arguments = request.arguments.unwrap_or_default();
        let customer_id = text(&arguments, "customer_id")?;
        let topic = text(&arguments, "topic")?;
        let customer =
            self.customer(customer_id).ok_or_else(|| ErrorData::invalid_params(no_customer(customer_id), None))?;
        let request = format!(
            "Draft a friendly, short reply to {} ({} customer since {}) about: {topic}. Sign as the service team of \
             Brandt & Vogel. Promise nothing about money.",
            customer.name, customer.tier, customer.customer_since
        );
        Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, request)]).into())
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new(format!("{CUSTOMER_URI}{{customer_id}}"), "customer")
            .with_title("Customer")
            .with_description("One customer's record as JSON")
            .with_mime_type("application/json");
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri;
        let customer = uri.strip_prefix(CUSTOMER_URI).and_then(|id| self.customer(id));
        let Some(customer) = customer else {
            return Err(ErrorData::resource_not_found("resource not found", Some(json!({ "uri": uri }))));
        };
        let contents = ResourceContents::text(json!(customer).to_string(), uri).with_mime_type("application/json");
        Ok(ReadResourceResult::new(vec![contents]).into())
    }
}

fn text<'a>(arguments: &'a JsonObject, name: &str) -> Result<&'a str, ErrorData> {
    arguments
        .get(name)
        .and_then(|value| value.as_str())
        .ok_or_else(|| ErrorData::invalid_params(format!("argument `{name}` is missing or no text"), None))
}

fn customers() -> Vec<Customer> {
    let row =
        |id: &str, name: &str, email: &str, phone: &str, address: &str, tier: &str, since: &str, notes: &[&str]| {
            Customer {
                customer_id: id.to_owned(),
                name: name.to_owned(),
                email: email.to_owned(),
                phone: phone.to_owned(),
                address: address.to_owned(),
                tier: tier.to_owned(),
                customer_since: since.to_owned(),
                notes: notes.iter().map(|note| (*note).to_owned()).collect(),
            }
        };
    vec![
        row(
            "C-1001",
            "Hanna Lindqvist",
            "hanna.lindqvist@example.com",
            "+46 8 5550 1401",
            "Skeppargatan 12, 114 52 Stockholm, Sweden",
            "gold",
            "2019-03-14",
            &["Prefers mail over telephone.", "Guides tours in Sarek every summer."],
        ),
        row(
            "C-1002",
            "Tomás Oliveira",
            "tomas.oliveira@example.org",
            "+351 21 555 0187",
            "Rua das Flores 88, 1200-195 Lisboa, Portugal",
            "standard",
            "2023-11-02",
            &[],
        ),
        row(
            "C-1003",
            "Marieke de Boer",
            "m.deboer@example.net",
            "+31 20 555 0123",
            "Prinsengracht 301, 1016 GX Amsterdam, Netherlands",
            "silver",
            "2021-06-21",
            &["Two parcels went missing in 2025; always ship insured."],
        ),
        row(
            "C-1004",
            "Jonas Brückner",
            "jonas.brueckner@example.com",
            "+49 89 5550 1166",
            "Lindwurmstraße 41, 80337 München, Germany",
            "standard",
            "2026-01-09",
            &[],
        ),
        row(
            "C-1005",
            "Aoife Brennan",
            "aoife@example.org",
            "+353 1 555 0139",
            "14 Fade Street, Dublin 2, D02 NW97, Ireland",
            "gold",
            "2018-09-30",
            &["Buys for the Wicklow mountain rescue team.", "Invoice always to the team's address."],
        ),
    ]
}
