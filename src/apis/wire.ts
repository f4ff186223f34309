/**
 * The JSON form of a Kubernetes object whose type comes from `@kubernetes/client-node`: timestamps are RFC 3339 strings
 * (the library's own types say `Date`), everything is read-only, and an optional field may be `undefined`, which JSON drops.
 */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Wire<T[Key]> | (undefined extends T[Key] ? undefined : never) }
      : T;
