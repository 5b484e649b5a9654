"""A datum in its forms: the Python value, the plain Avro value, and JSON.

``Form`` is the contract; ``scalars``, ``times`` and ``composites`` hold one class a kind of value;
``build`` puts the form of an event type together from its published schema. The codec and the JSON
form are both written over these, so that a rule of the contract is stated once.
"""
