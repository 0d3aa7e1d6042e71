//! `erp`: orders, refunds, stock and prices. Here money moves.

use std::sync::Mutex;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{Json, ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::observed::locked;

pub(super) struct Erp {
    tools: ToolRouter<Self>,
    books: Mutex<Books>,
}

struct Books {
    orders: Vec<Order>,
    products: Vec<Product>,
}

/// An order.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Order {
    /// Order id, for example `A-20417`.
    order_id: String,
    /// Who ordered, for example `C-1001`.
    customer_id: String,
    /// Day of the order, ISO 8601.
    ordered_on: String,
    /// `open`, `shipped`, `delivered`, `returned` or `cancelled`.
    status: String,
    /// What was ordered.
    lines: Vec<Line>,
    /// What the customer paid, in euro.
    total: f64,
    /// What was paid back so far, in euro.
    refunded: f64,
}

/// One line of an order.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Line {
    /// Article number.
    sku: String,
    /// Pieces.
    quantity: u32,
    /// Price of one piece at the time, in euro.
    unit_price: f64,
}

/// A product in the catalogue.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Product {
    /// Article number, for example `TENT-FJELL-2`.
    sku: String,
    /// Name in the catalogue.
    title: String,
    /// Price in euro, value added tax included.
    price: f64,
    /// Pieces in the warehouse.
    in_stock: u32,
}

/// A refund that was made.
#[derive(Debug, Serialize, JsonSchema)]
struct Refund {
    /// The order it belongs to.
    order_id: String,
    /// What was paid back now, in euro.
    amount: f64,
    /// What was paid back in all, in euro.
    refunded: f64,
    /// What could still be paid back, in euro.
    remaining: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Orders {
    /// The orders, newest first.
    orders: Vec<Order>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Products {
    /// The products, by article number.
    products: Vec<Product>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByOrder {
    /// Order id, for example `A-20417`.
    order_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListOrders {
    /// Only orders of this customer, for example `C-1001`.
    #[serde(default)]
    customer_id: Option<String>,
    /// Only orders in this state: `open`, `shipped`, `delivered`, `returned` or `cancelled`.
    #[serde(default)]
    status: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListProducts {}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RefundOrder {
    /// Order id, for example `A-20417`.
    order_id: String,
    /// What to pay back, in euro; more than zero and at most what is left of the order's total.
    amount: f64,
    /// Why, in one sentence. The customer reads it on their statement.
    reason: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CancelOrder {
    /// Order id, for example `A-20431`.
    order_id: String,
    /// Why, in one sentence.
    reason: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangePrice {
    /// Article number, for example `TENT-FJELL-2`.
    sku: String,
    /// The new price in euro, value added tax included.
    price: f64,
    /// Why, in one sentence.
    reason: String,
}

impl Erp {
    pub(super) const NAME: &str = "erp";

    pub(super) fn new() -> Self {
        Self { tools: Self::tool_router(), books: Mutex::new(Books { orders: orders(), products: products() }) }
    }
}

impl Books {
    fn order(&mut self, id: &str) -> Result<&mut Order, String> {
        self.orders.iter_mut().find(|order| order.order_id == id).ok_or_else(|| format!("There is no order `{id}`."))
    }
}

/// An amount to the cent, so that sums of sums stay what people expect.
fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

#[tool_router]
impl Erp {
    #[tool(
        description = "One order: its lines, what was paid, what was refunded, and where it is.",
        annotations(title = "Get an order", read_only_hint = true, open_world_hint = false)
    )]
    async fn get_order(&self, Parameters(ByOrder { order_id }): Parameters<ByOrder>) -> Result<Json<Order>, String> {
        locked(&self.books).order(&order_id).map(|order| Json(order.clone()))
    }

    #[tool(
        description = "Orders, newest first; all of them, or those of one customer or in one state.",
        annotations(title = "List orders", read_only_hint = true, open_world_hint = false)
    )]
    async fn list_orders(
        &self,
        Parameters(ListOrders { customer_id, status }): Parameters<ListOrders>,
    ) -> Result<Json<Orders>, String> {
        let orders = locked(&self.books)
            .orders
            .iter()
            .filter(|order| customer_id.as_ref().is_none_or(|wanted| order.customer_id == *wanted))
            .filter(|order| status.as_ref().is_none_or(|wanted| order.status == *wanted))
            .rev()
            .cloned()
            .collect();
        Ok(Json(Orders { orders }))
    }

    #[tool(
        description = "The catalogue: article numbers, names, prices in euro and stock.",
        annotations(title = "List products", read_only_hint = true, open_world_hint = false)
    )]
    async fn list_products(
        &self,
        Parameters(ListProducts {}): Parameters<ListProducts>,
    ) -> Result<Json<Products>, String> {
        Ok(Json(Products { products: locked(&self.books).products.clone() }))
    }

    #[tool(
        description = "Pays part or all of an order back to the customer, by the way it was paid. Takes effect at \
                       once and cannot be undone.",
        annotations(
            title = "Refund an order",
            read_only_hint = false,
            destructive_hint = true,
            open_world_hint = true
        )
    )]
    async fn refund_order(
        &self,
        Parameters(RefundOrder { order_id, amount, reason }): Parameters<RefundOrder>,
    ) -> Result<Json<Refund>, String> {
        if reason.trim().is_empty() {
            return Err("Give a reason; the customer reads it.".to_owned());
        }
        let mut books = locked(&self.books);
        let order = books.order(&order_id)?;
        let left = cents(order.total - order.refunded);
        if !(amount > 0.0 && amount <= left) {
            return Err(format!("The amount must be more than zero and at most {left:.2} euro."));
        }
        order.refunded = cents(order.refunded + amount);
        Ok(Json(Refund {
            order_id,
            amount: cents(amount),
            refunded: order.refunded,
            remaining: cents(order.total - order.refunded),
        }))
    }

    #[tool(
        description = "Cancels an order that has not been shipped. The goods go back to stock; money is not paid back \
                       by this.",
        annotations(
            title = "Cancel an order",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn cancel_order(
        &self,
        Parameters(CancelOrder { order_id, reason }): Parameters<CancelOrder>,
    ) -> Result<Json<Order>, String> {
        if reason.trim().is_empty() {
            return Err("Give a reason.".to_owned());
        }
        let mut books = locked(&self.books);
        let order = books.order(&order_id)?;
        if order.status != "open" {
            return Err(format!("Order `{order_id}` is {}; only open orders can be cancelled.", order.status));
        }
        "cancelled".clone_into(&mut order.status);
        Ok(Json(order.clone()))
    }

    #[tool(
        description = "Sets the price of a product in the shop, for everyone, at once.",
        annotations(
            title = "Change a price",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = true
        )
    )]
    async fn change_price(
        &self,
        Parameters(ChangePrice { sku, price, reason }): Parameters<ChangePrice>,
    ) -> Result<Json<Product>, String> {
        if !(price > 0.0 && price.is_finite()) || reason.trim().is_empty() {
            return Err("Give a price above zero and a reason.".to_owned());
        }
        let mut books = locked(&self.books);
        let product = books
            .products
            .iter_mut()
            .find(|product| product.sku == sku)
            .ok_or_else(|| format!("There is no product `{sku}`."))?;
        product.price = cents(price);
        Ok(Json(product.clone()))
    }
}

#[tool_handler(router = self.tools)]
impl ServerHandler for Erp {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("brandt-vogel-erp", "11.0.3"))
            .with_instructions("Orders, refunds and prices of Brandt & Vogel. All amounts are euros. Look at an order before refunding it.")
    }
}

fn orders() -> Vec<Order> {
    let row = |id: &str, customer: &str, on: &str, status: &str, lines: &[(&str, u32, f64)], refunded: f64| Order {
        order_id: id.to_owned(),
        customer_id: customer.to_owned(),
        ordered_on: on.to_owned(),
        status: status.to_owned(),
        lines: lines
            .iter()
            .map(|(sku, quantity, price)| Line { sku: (*sku).to_owned(), quantity: *quantity, unit_price: *price })
            .collect(),
        total: cents(lines.iter().map(|(_, quantity, price)| f64::from(*quantity) * price).sum()),
        refunded,
    };
    vec![
        row("A-20388", "C-1005", "2026-09-28", "delivered", &[("ROPE-98-60", 4, 159.0), ("HELM-BERG", 6, 74.5)], 0.0),
        row("A-20402", "C-1003", "2026-10-11", "returned", &[("BOOT-RIMFAXE-39", 1, 219.0)], 219.0),
        row("A-20417", "C-1001", "2026-11-03", "delivered", &[("STOVE-LUNE", 1, 64.9), ("GAS-230", 2, 10.0)], 0.0),
        row("A-20424", "C-1002", "2026-11-09", "shipped", &[("PACK-SVALE-45", 1, 189.0)], 0.0),
        row("A-20431", "C-1001", "2026-11-16", "open", &[("TENT-FJELL-2", 1, 649.0), ("BAG-NATT-5", 2, 300.0)], 0.0),
        row("A-20433", "C-1004", "2026-11-18", "open", &[("GAS-230", 3, 10.0)], 0.0),
    ]
}

fn products() -> Vec<Product> {
    let row = |sku: &str, title: &str, price: f64, in_stock: u32| Product {
        sku: sku.to_owned(),
        title: title.to_owned(),
        price,
        in_stock,
    };
    vec![
        row("BAG-NATT-5", "Natt sleeping bag, comfort -5 °C", 300.0, 23),
        row("BOOT-RIMFAXE-39", "Rimfaxe boots, size 39", 219.0, 7),
        row("GAS-230", "Gas canister, 230 g", 10.0, 410),
        row("HELM-BERG", "Berg climbing helmet", 74.5, 58),
        row("PACK-SVALE-45", "Svale backpack, 45 l", 189.0, 16),
        row("ROPE-98-60", "Rope, 9.8 mm, 60 m", 159.0, 31),
        row("STOVE-LUNE", "Lune stove", 64.9, 44),
        row("TENT-FJELL-2", "Fjell tent for two", 649.0, 9),
    ]
}
