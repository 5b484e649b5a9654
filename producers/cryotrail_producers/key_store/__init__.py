"""Keys of personal data: made once per subject or record, wrapped, and destroyed for good.

``kek`` is the file of the key that wraps them, ``sqlite`` the store. The port is
:class:`cryotrail_schemas.personal.KeyStore`.
"""
