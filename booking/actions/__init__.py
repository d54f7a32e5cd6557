"""Operations that change several rows in one transaction, such as booking a visit or taking a slot offer."""
