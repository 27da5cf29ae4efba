"""市局执法人员平台: who holds which enforcement certificate, as the city has registered it."""
