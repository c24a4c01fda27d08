"""Forms that validate the query strings of the catalog's pages."""

from django import forms

from catalog.documents.ordering import DEFAULT_ORDER, ORDERS
from catalog.documents.row_id import MAX_ID
from catalog.models.folding import folded
from catalog.models.product import NAME_LENGTH
from catalog.reading.pagination import (
    MIN_SEARCH_LENGTH,
    Page,
    Position,
    parse_cursor,
)


class ProductsForm(forms.Form):
    """Filters and order of a list of products. All fields are optional."""

    q = forms.CharField(
        label="Part of the name",
        required=False,
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"type": "search"}),
        error_messages={
            "max_length": f"Enter at most {NAME_LENGTH} characters.",
        },
        help_text=f"At least {MIN_SEARCH_LENGTH} characters, in upper or lower case.",
    )
    order = forms.ChoiceField(
        label="Sort by",
        required=False,
        choices=[(name, order.label) for name, order in ORDERS.items()],
        error_messages={"invalid_choice": f"Choose one of {', '.join(ORDERS)}."},
        help_text="Names are sorted by character code: capitals first.",
    )
    brand_id = forms.IntegerField(
        label="Brand",
        required=False,
        min_value=1,
        max_value=MAX_ID,
        widget=forms.HiddenInput,
    )
    # Only in links to the next page: submitting the form starts at the first page.
    cursor = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_q(self) -> str:
        q: str = self.cleaned_data["q"]
        if q and len(folded(q)) < MIN_SEARCH_LENGTH:
            raise forms.ValidationError(
                f"Enter at least {MIN_SEARCH_LENGTH} characters.", "min_length"
            )
        return q

    def clean_cursor(self) -> Position | None:
        cursor = self.cleaned_data["cursor"]
        try:
            return parse_cursor(cursor, self.chosen_order()) if cursor else None
        except ValueError as error:
            raise forms.ValidationError(f"The cursor {error}.") from None

    def chosen_order(self) -> str:
        return self.cleaned_data.get("order") or DEFAULT_ORDER

    def page(self, path: str) -> Page:
        """The page that a valid form requests; its links lead to `path`."""
        answers = self.cleaned_data
        return Page(
            path,
            order=self.chosen_order(),
            brand_id=answers.get("brand_id"),
            q=answers["q"] or None,
            after=answers["cursor"],
        )


class BrandsForm(ProductsForm):
    """Filter of a list of brands."""

    order = None  # type: ignore[assignment]
    brand_id = None  # type: ignore[assignment]
