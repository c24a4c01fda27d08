"""Form fields for numbers, which show the number that was read.

Python reads `1_0` and full-width digits as numbers, for which a browser's number input
shows nothing: the form would look as if the default had been entered.
"""

from django import forms


class _ShownAsRead(forms.Field):
    def prepare_value(self, value: object) -> object:
        try:
            number = self.to_python(value)
        except forms.ValidationError:
            return value
        return value if number is None else str(number).removesuffix(".0")


class WholeNumberField(_ShownAsRead, forms.IntegerField):
    """An integer."""


class NumberField(_ShownAsRead, forms.FloatField):
    """A float."""
